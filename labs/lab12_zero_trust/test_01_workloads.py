"""Phase 1: two namespaces, a web server, an API and a database, and no policy.

A namespace is a name for a group of objects. It is not a wall. Until a NetworkPolicy selects a pod,
every pod may connect to it, from any namespace, and it may connect to every pod. The later phases
close these flows, so this page also proves that the flows were open before.
"""

from harness.lab import documented

OUTCOMES = documented(
    """
step baseline: 01-workloads

| from                     | to                              | tutorial says | why                                     |
|--------------------------|---------------------------------|---------------|-----------------------------------------|
| frontend-zone/web-server | pod/secure-zone/payment-api:80  | connected     | [0] by default every pod may talk to    |
|                          |                                 |               | every other pod, in other namespaces    |
|                          |                                 |               | too                                     |
| frontend-zone/web-server | pod/secure-zone/secure-db:6379  | connected     | [0] so a compromised web server reaches |
|                          |                                 |               | the database                            |
| frontend-zone/web-server | svc/kube-system/kube-dns:9153   | connected     | [0] web-server reaches the rest of the  |
|                          |                                 |               | cluster too, for example CoreDNS's      |
|                          |                                 |               | metrics                                 |
| secure-zone/payment-api  | pod/secure-zone/secure-db:6379  | connected     | [ours] the application needs this flow  |
| secure-zone/secure-db    | pod/frontend-zone/web-server:80 | connected     | [ours] nothing holds the database back  |
|                          |                                 |               | either                                  |
| frontend-zone/web-server | name/google.com:80              | connected     | [ours] a pod may ask for a name and     |
|                          |                                 |               | connect to a server outside             |
| secure-zone/payment-api  | net/google.com:80               | connected     | [ours] stolen data would leave the      |
|                          |                                 |               | cluster on this path                    |
| secure-zone/payment-api  | ping/net/google.com             | connected     | [ours] ICMP may leave the cluster too   |
| secure-zone/payment-api  | lookup/secure-db.secure-zone    | dns_nxdomain  | [ours] a pod does not have such a name; |
|                          | .svc.cluster.local              |               | only a Service does                     |
""",
    source="lab12-zero-trust#2",
)


@OUTCOMES.each_row
def test_workloads(row, observed):
    assert observed == row.outcome, row.why
