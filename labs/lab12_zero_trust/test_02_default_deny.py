"""Phase 2: deny everything in `secure-zone`.

A policy that selects pods and lists no rule isolates them: silence in a policy means "nobody". The
selector `{}` means every pod of the policy's own namespace, and only of that one: a namespace without
a policy stays as open as before.
"""

from harness.core.lab.documented import Row
from harness.core.outcome import Reading
from harness.lab import Erratum, documented

FRONTEND_OPEN = Erratum(
    id="frontend-open",
    wrong="the objective has all pods of both namespaces deny everything by default",
    why="a NetworkPolicy acts in its own namespace only, and the manifest is for secure-zone; no policy "
    "selects a pod of frontend-zone, so its pods keep sending and receiving",
    corrected="07-default-deny-both: the same policy once more, in frontend-zone",
)

OUTCOMES = documented(
    """
| step | apply                         | from                     | to                               | outcome      | actual    | erratum       | cite | why |
|------|-------------------------------|--------------------------|----------------------------------|--------------|-----------|---------------|------|-----|
| deny | 01-workloads, 02-default-deny | secure-zone/payment-api  | pod/secure-zone/secure-db:6379   | timeout      |           |               | 3    | even the API does not reach its database: its egress and the database's ingress are closed |
| deny | 01-workloads, 02-default-deny | frontend-zone/web-server | pod/secure-zone/payment-api:80   | timeout      |           |               | 3    | the API is isolated, and no rule lets the web server in |
| deny | 01-workloads, 02-default-deny | frontend-zone/web-server | pod/secure-zone/secure-db:6379   | timeout      |           |               | 3    | the same for the database |
| deny | 01-workloads, 02-default-deny | secure-zone/payment-api  | ping/net/google.com              | timeout      |           |               | 3.1  | the API does not say leave for ICMP, and both CNIs drop it |
| deny | 01-workloads, 02-default-deny | secure-zone/payment-api  | net/google.com:80                | timeout      |           |               | 7    | closed egress cuts a compromised pod off from its masters |
| deny | 01-workloads, 02-default-deny | secure-zone/payment-api  | pod/frontend-zone/web-server:80  | timeout      |           |               | 3.1  | and from the internal network |
| deny | 01-workloads, 02-default-deny | secure-zone/payment-api  | lookup/secure-db.secure-zone.svc.cluster.local | dns_timeout | |          | 4.1  | closed egress closes DNS as well: the question itself is dropped |
| deny | 01-workloads, 02-default-deny | secure-zone/payment-api  | dns/A/kube-dns.kube-system.svc.cluster.local/tcp | dns_timeout | |        | ours | over TCP it is no different |
| deny | 01-workloads, 02-default-deny | frontend-zone/web-server | net/google.com:80                | timeout      | connected | frontend-open | 1    | the web server should be held back too |
| deny | 01-workloads, 02-default-deny | frontend-zone/dns-test   | pod/frontend-zone/web-server:80  | timeout      | connected | frontend-open | 1    | and should not be reachable by just anyone |
""",
    source="lab12-zero-trust#3",
    errata=[FRONTEND_OPEN],
)


@OUTCOMES.each_row
def test_default_deny(row: Row, observed: Reading) -> None:
    assert observed == row.outcome, row.why
