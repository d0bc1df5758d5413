"""Phase 1: two namespaces, a web server, an API and a database, and nothing between them.

A namespace is a name for a group of objects, not a wall. Until a NetworkPolicy selects a pod, anyone
may talk to it, from any namespace, and it may talk to anyone. Every flow below is one that the later
phases close, so this page is also the proof that it was open before.
"""

from harness.lab import documented

OUTCOMES = documented(
    """
step baseline: 01-workloads

| from                     | to                              | tutorial says | why                                    |
|--------------------------|---------------------------------|---------------|----------------------------------------|
| frontend-zone/web-server | pod/secure-zone/payment-api:80  | connected     | [0] networking is open by default,     |
|                          |                                 |               | across namespaces too                  |
| frontend-zone/web-server | pod/secure-zone/secure-db:6379  | connected     | [0] so a compromised frontend reaches  |
|                          |                                 |               | the database                           |
| frontend-zone/web-server | svc/kube-system/kube-dns:9153   | connected     | [0] and the rest of the cluster, here  |
|                          |                                 |               | CoreDNS's metrics                      |
| secure-zone/payment-api  | pod/secure-zone/secure-db:6379  | connected     | [ours] the flow that the application   |
|                          |                                 |               | needs                                  |
| secure-zone/secure-db    | pod/frontend-zone/web-server:80 | connected     | [ours] nothing holds the database back |
|                          |                                 |               | either                                 |
| frontend-zone/web-server | name/google.com:80              | connected     | [ours] a pod may leave the cluster,    |
|                          |                                 |               | name and all                           |
| secure-zone/payment-api  | net/google.com:80               | connected     | [ours] this is how stolen data would   |
|                          |                                 |               | leave                                  |
| secure-zone/payment-api  | ping/net/google.com             | connected     | [ours] ICMP leaves too                 |
| secure-zone/payment-api  | lookup/secure-db.secure-zone    | dns_nxdomain  | [ours] a pod has no such name: only a  |
|                          | .svc.cluster.local              |               | Service would                          |
""",
    source="lab12-zero-trust#2",
)


@OUTCOMES.each_row
def test_workloads(row, observed):
    assert observed == row.outcome, row.why
