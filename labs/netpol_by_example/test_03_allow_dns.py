"""Phase 3: give the pods their name server back.

Policies add up: `default-deny` stays as it is, and `allow-dns` adds one thing that is allowed. It names a
namespace and pods in it, and no port, so it allows more than its name says: every port of CoreDNS.
"""

from harness.lab import documented

OUTCOMES = documented(
    """
step dns: 01-workloads, 02-default-deny, 03-allow-dns

| from                          | to                                   | tutorial says     | why                      |
|-------------------------------|--------------------------------------|-------------------|--------------------------|
| prod-nginx/debug              | lookup/my-nginx-clusterip            | resolved          | the first cell: DNS      |
|                               |                                      |                   | resolution works again   |
  $ dig +search +time=1 +tries=1 my-nginx-clusterip
| prod-nginx/debug              | name/my-nginx-clusterip:80           | timeout           | the second cell: now the |
|                               |                                      |                   | name is known, and the   |
|                               |                                      |                   | connection is what fails |
  $ curl --connect-timeout 1 http://my-nginx-clusterip
| prod-nginx/debug              | svc/prod-nginx/my-nginx-clusterip:80 | timeout           | [ours] the same, without |
|                               |                                      |                   | a name                   |
| prod-nginx/debug              | pod/prod-nginx/nginx-deployment-1:80 | timeout           | the third cell           |
| prod-nginx/debug              | pod/prod-nginx/nginx-deployment-2:80 | timeout           | the third cell           |
| prod-nginx/debug              | pod/prod-nginx/nginx-deployment-3:80 | timeout           | the third cell           |
| prod-nginx/nginx-deployment-1 | dns/A/kube-dns.kube-system           | resolved          | the policy selects every |
|                               | .svc.cluster.local                   |                   | pod, so the servers      |
|                               |                                      |                   | resolve names too        |
| prod-nginx/debug              | name/cloudyuga.guru:80               | timeout           | a name outside resolves, |
|                               |                                      |                   | and is still out of      |
|                               |                                      |                   | reach                    |
  $ curl --connect-timeout 1 http://cloudyuga.guru
| prod-nginx/debug              | dns/A/kube-dns.kube-system           | resolved          | [ours] the rule lists no |
|                               | .svc.cluster.local/tcp               |                   | port, so DNS over TCP    |
|                               |                                      |                   | passes                   |
| prod-nginx/debug              | svc/kube-system/kube-dns:9153        | connected         | [ours] and so does       |
|                               |                                      |                   | CoreDNS's metrics port,  |
|                               |                                      |                   | which has nothing to do  |
|                               |                                      |                   | with names               |
| prod-nginx/debug              | fact/name-label                      | shows on every    | [ours] since Kubernetes  |
|                               |                                      | namespace         | 1.21 the API server sets |
|                               |                                      |                   | this label itself;       |
|                               |                                      |                   | labelling kube-system by |
|                               |                                      |                   | hand changes nothing     |
| prod-nginx/debug              | fact/policies                        | shows allow-dns   | what kubectl get netpol  |
|                               |                                      | (Egress);         | lists                    |
|                               |                                      | default-deny      |                          |
|                               |                                      | (Ingress, Egress) |                          |
""",
    source="netpol-by-example#allow-dns",
)


@OUTCOMES.each_row
def test_allow_dns(row, observed):
    assert observed == row.outcome, row.why
