"""Phase 9: where two CNIs that both pass every other phase still differ.

The API says what a policy means for a new connection between pods. It says nothing of connections
that are open already, of a pod's own node, or of a block of addresses that covers pods; in one case it
does say, and Cilium departs from it. Each line of `CniProfile` is one such difference, and here it is
shown on the cluster that you run.
"""

from harness.lab import documented

OUTCOMES = documented(
    """
step open: 09-cni-workloads

| from           | to                        | tutorial says     | why                                              |
|----------------|---------------------------|-------------------|--------------------------------------------------|
| cni-lab/client | pod/cni-lab/server:80     | connected         | [ours] without a policy everything is open       |
| cni-lab/client | pod/cni-lab/on-host:18080 | connected         | [ours] the node's own address too                |
| cni-lab/client | svc/cni-lab/server:81     | cni:unserved_port | [ours] a port that the Service lacks: kube-proxy |
|                |                           |                   | refuses, Cilium drops what its Service does not  |
|                |                           |                   | serve                                            |

step deny: 09-cni-workloads, 09-cni-deny

| from            | to                          | tutorial says   | why                                                |
|-----------------|-----------------------------|-----------------|----------------------------------------------------|
| cni-lab/client  | pod/cni-lab/server:80       | cni:denied      | [ours] both drop; neither says no                  |
| cni-lab/server  | pod/cni-lab/server:80       | cni:loopback    | [ours] a pod's traffic to its own address never    |
|                 |                             |                 | leaves it                                          |
| cni-lab/on-host | pod/cni-lab/server:80       | cni:host_to_pod | [ours] the kubelet's probes must get in, so the    |
|                 |                             |                 | pod's own node always may                          |
| cni-lab/client  | pod/cni-lab/on-host:18080   | cni:pod_to_host | [ours] to a policy the node is no pod: closed      |
|                 |                             |                 | egress closes it as well                           |
| cni-lab/client  | fact/established-connection | cni:established | [ours] opened before the policy, asked again after |
|                 |                             |                 | it: Calico looks at new connections only, Cilium   |
|                 |                             |                 | at every packet                                    |

step ip-block: 09-cni-workloads, 09-cni-ip-block

| from           | to                    | tutorial says        | why                                                  |
|----------------|-----------------------|----------------------|------------------------------------------------------|
| cni-lab/client | pod/cni-lab/server:80 | cni:ip_block_of_pods | [ours] to Calico an address is an address; to Cilium |
|                |                       |                      | a pod is known by its labels, never by its address   |

step left-out: 09-cni-workloads, 09-cni-left-out

| from           | to                    | tutorial says      | why                                                  |
|----------------|-----------------------|--------------------|------------------------------------------------------|
| cni-lab/client | pod/cni-lab/server:80 | cni:rules_left_out | [ours] policyTypes has Ingress alone, so its egress  |
|                |                       |                    | rules mean nothing; Cilium goes by them all the same |
""",
    source="netpol-by-example#conclusion",
)


@OUTCOMES.each_row
def test_cni_differences(row, observed):
    assert observed == row.outcome, row.why
