"""Phase 3: give the pods their name server back.

Policies add up: `default-deny` stays as it is, and `allow-dns` adds one thing that is allowed. It names a
namespace and pods in it, and no port, so it allows more than its name says: every port of CoreDNS.
"""

from harness.core.lab.documented import Row
from harness.core.outcome import Reading
from harness.lab import documented

OUTCOMES = documented(
    """
| step | apply                                       | from                          | to                                               | outcome                                                  | command                                            | cite      | why                                                                                                        |
|------|---------------------------------------------|-------------------------------|--------------------------------------------------|----------------------------------------------------------|----------------------------------------------------|-----------|------------------------------------------------------------------------------------------------------------|
| dns  | 01-workloads, 02-default-deny, 03-allow-dns | prod-nginx/debug              | lookup/my-nginx-clusterip                        | resolved                                                 | dig +search +time=1 +tries=1 my-nginx-clusterip    | allow-dns | the first cell: DNS resolution works again                                                                 |
| dns  | 01-workloads, 02-default-deny, 03-allow-dns | prod-nginx/debug              | name/my-nginx-clusterip:80                       | timeout                                                  | curl --connect-timeout 1 http://my-nginx-clusterip | allow-dns | the second cell: now the name is known, and the connection is what fails                                   |
| dns  | 01-workloads, 02-default-deny, 03-allow-dns | prod-nginx/debug              | svc/prod-nginx/my-nginx-clusterip:80             | timeout                                                  |                                                    | ours      | the same, without a name                                                                                   |
| dns  | 01-workloads, 02-default-deny, 03-allow-dns | prod-nginx/debug              | pod/prod-nginx/nginx-deployment-1:80             | timeout                                                  |                                                    | allow-dns | the third cell                                                                                             |
| dns  | 01-workloads, 02-default-deny, 03-allow-dns | prod-nginx/debug              | pod/prod-nginx/nginx-deployment-2:80             | timeout                                                  |                                                    | allow-dns | the third cell                                                                                             |
| dns  | 01-workloads, 02-default-deny, 03-allow-dns | prod-nginx/debug              | pod/prod-nginx/nginx-deployment-3:80             | timeout                                                  |                                                    | allow-dns | the third cell                                                                                             |
| dns  | 01-workloads, 02-default-deny, 03-allow-dns | prod-nginx/nginx-deployment-1 | dns/A/kube-dns.kube-system.svc.cluster.local     | resolved                                                 |                                                    | allow-dns | the policy selects every pod, so the servers resolve names too                                             |
| dns  | 01-workloads, 02-default-deny, 03-allow-dns | prod-nginx/debug              | name/cloudyuga.guru:80                           | timeout                                                  | curl --connect-timeout 1 http://cloudyuga.guru     | allow-dns | a name outside resolves, and is still out of reach                                                         |
| dns  | 01-workloads, 02-default-deny, 03-allow-dns | prod-nginx/debug              | dns/A/kube-dns.kube-system.svc.cluster.local/tcp | resolved                                                 |                                                    | ours      | the rule lists no port, so DNS over TCP passes                                                             |
| dns  | 01-workloads, 02-default-deny, 03-allow-dns | prod-nginx/debug              | svc/kube-system/kube-dns:9153                    | connected                                                |                                                    | ours      | and so does CoreDNS's metrics port, which has nothing to do with names                                     |
| dns  | 01-workloads, 02-default-deny, 03-allow-dns | prod-nginx/debug              | fact/name-label                                  | shows on every namespace                                 |                                                    | ours      | since Kubernetes 1.21 the API server sets this label itself; labelling kube-system by hand changes nothing |
| dns  | 01-workloads, 02-default-deny, 03-allow-dns | prod-nginx/debug              | fact/policies                                    | shows allow-dns (Egress); default-deny (Ingress, Egress) |                                                    | allow-dns | what kubectl get netpol lists                                                                              |
""",
    source="netpol-by-example#allow-dns",
)


@OUTCOMES.each_row
def test_allow_dns(row: Row, observed: Reading) -> None:
    assert observed == row.outcome, row.why
