"""Phase 1: two namespaces, a web server, an API and a database, and nothing between them.

A namespace is a name for a group of objects, not a wall. Until a NetworkPolicy selects a pod, anyone
may talk to it, from any namespace, and it may talk to anyone. Every flow below is one that the later
phases close, so this page is also the proof that it was open before.
"""

from harness.core.lab.documented import Row
from harness.core.outcome import Reading
from harness.lab import documented

OUTCOMES = documented(
    """
| step     | apply        | from                    | to                                        | outcome   | cite | why |
|----------|--------------|-------------------------|-------------------------------------------|-----------|------|-----|
| baseline | 01-workloads | frontend-zone/web-server  | pod/secure-zone/payment-api:80          | connected | 0    | networking is open by default, across namespaces too |
| baseline | 01-workloads | frontend-zone/web-server  | pod/secure-zone/secure-db:6379          | connected | 0    | so a compromised frontend reaches the database |
| baseline | 01-workloads | frontend-zone/web-server  | svc/kube-system/kube-dns:9153           | connected | 0    | and the rest of the cluster, here CoreDNS's metrics |
| baseline | 01-workloads | secure-zone/payment-api   | pod/secure-zone/secure-db:6379          | connected | ours | the flow that the application needs |
| baseline | 01-workloads | secure-zone/secure-db     | pod/frontend-zone/web-server:80         | connected | ours | nothing holds the database back either |
| baseline | 01-workloads | frontend-zone/web-server  | name/google.com:80                      | connected | ours | a pod may leave the cluster, name and all |
| baseline | 01-workloads | secure-zone/payment-api   | net/google.com:80                       | connected | ours | this is how stolen data would leave |
| baseline | 01-workloads | secure-zone/payment-api   | ping/net/google.com                     | connected | ours | ICMP leaves too |
| baseline | 01-workloads | secure-zone/payment-api   | lookup/secure-db.secure-zone.svc.cluster.local | dns_nxdomain | ours | a pod has no such name: only a Service would |
""",
    source="lab12-zero-trust#2",
)


@OUTCOMES.each_row
def test_workloads(row: Row, observed: Reading) -> None:
    assert observed == row.outcome, row.why
