"""Phase 9: where two CNIs that both pass every other phase still differ.

The API says what a policy means for a new connection between pods. It does not speak of connections
that are already open, of a pod's own node, or of a block of addresses that covers pods. In one case
the API does say, and Cilium does otherwise. Each line of `CniProfile` is one such difference, and
this lab shows it on your own cluster.
"""

from harness.lab import documented

OUTCOMES = documented(
    """
step open: 09-cni-workloads

| from           | to                        | tutorial says     | why                                            |
|----------------|---------------------------|-------------------|------------------------------------------------|
| cni-lab/client | pod/cni-lab/server:80     | connected         | [ours] without a policy everything is open     |
| cni-lab/client | pod/cni-lab/on-host:18080 | connected         | [ours] the node's own address is open too      |
| cni-lab/client | svc/cni-lab/server:81     | cni:unserved_port | [ours] the Service lacks this port: kube-proxy |
|                |                           |                   | refuses, and Cilium drops the packets          |

step deny: 09-cni-workloads, 09-cni-deny

| from            | to                          | tutorial says   | why                                                |
|-----------------|-----------------------------|-----------------|----------------------------------------------------|
| cni-lab/client  | pod/cni-lab/server:80       | cni:denied      | [ours] both CNIs drop the packets; neither refuses |
| cni-lab/server  | pod/cni-lab/server:80       | cni:loopback    | [ours] a pod's traffic to its own address never    |
|                 |                             |                 | leaves the pod                                     |
| cni-lab/server  | svc/cni-lab/server:80       | cni:hairpin     | [ours] through its Service it does leave the pod,  |
|                 |                             |                 | and Calico then drops it; Cilium never does        |
| cni-lab/on-host | pod/cni-lab/server:80       | cni:host_to_pod | [ours] the kubelet's probes must get in, so the    |
|                 |                             |                 | pod's own node always may                          |
| cni-lab/client  | pod/cni-lab/on-host:18080   | cni:pod_to_host | [ours] for a policy the node is not a pod, so      |
|                 |                             |                 | closed egress closes the way to it                 |
| cni-lab/client  | fact/established-connection | cni:established | [ours] a connection opened before the policy:      |
|                 | /pod/cni-lab/server:80      |                 | Calico looks at new connections only, Cilium at    |
|                 |                             |                 | every packet                                       |

step ip-block: 09-cni-workloads, 09-cni-ip-block

| from           | to                    | tutorial says        | why                                                |
|----------------|-----------------------|----------------------|----------------------------------------------------|
| cni-lab/client | pod/cni-lab/server:80 | cni:ip_block_of_pods | [ours] for Calico an address is an address; Cilium |
|                |                       |                      | knows a pod by its labels, never by its address    |

step left-out: 09-cni-workloads, 09-cni-left-out

| from           | to                    | tutorial says      | why                                                  |
|----------------|-----------------------|--------------------|------------------------------------------------------|
| cni-lab/client | pod/cni-lab/server:80 | cni:rules_left_out | [ours] policyTypes names Ingress only, so the egress |
|                |                       |                    | rules should mean nothing; Cilium enforces them      |
""",
    source="netpol-by-example#conclusion",
)


@OUTCOMES.each_row
def test_cni_differences(row, observed):
    assert observed == row.outcome, row.why
