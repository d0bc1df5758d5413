"""Phase 2: deny everything in `secure-zone`.

A policy that selects pods and lists no rule isolates them: silence in a policy means "nobody". The
selector `{}` means every pod of the policy's own namespace, and only of that one: a namespace without
a policy stays as open as before.
"""

from harness.lab import Erratum, documented

OUTCOMES = documented(
    """
step deny: 01-workloads, 02-default-deny

| from                     | to                              | tutorial says | really    | why                         |
|--------------------------|---------------------------------|---------------|-----------|-----------------------------|
| secure-zone/payment-api  | pod/secure-zone/secure-db:6379  | timeout       |           | even the API does not reach |
|                          |                                 |               |           | its database: its egress    |
|                          |                                 |               |           | and the database's ingress  |
|                          |                                 |               |           | are closed                  |
| frontend-zone/web-server | pod/secure-zone/payment-api:80  | timeout       |           | the API is isolated, and no |
|                          |                                 |               |           | rule lets the web server in |
| frontend-zone/web-server | pod/secure-zone/secure-db:6379  | timeout       |           | the same for the database   |
| secure-zone/payment-api  | ping/net/google.com             | timeout       |           | [3.1] the API does not say  |
|                          |                                 |               |           | leave for ICMP, and both    |
|                          |                                 |               |           | CNIs drop it                |
| secure-zone/payment-api  | net/google.com:80               | timeout       |           | [7] closed egress cuts a    |
|                          |                                 |               |           | compromised pod off from    |
|                          |                                 |               |           | its masters                 |
| secure-zone/payment-api  | pod/frontend-zone/web-server:80 | timeout       |           | [3.1] and from the internal |
|                          |                                 |               |           | network                     |
| secure-zone/payment-api  | lookup/secure-db.secure-zone    | dns_timeout   |           | [4.1] closed egress closes  |
|                          | .svc.cluster.local              |               |           | DNS as well: the question   |
|                          |                                 |               |           | itself is dropped           |
| secure-zone/payment-api  | dns/A/kube-dns.kube-system      | dns_timeout   |           | [ours] over TCP it is no    |
|                          | .svc.cluster.local/tcp          |               |           | different                   |
| frontend-zone/web-server | net/google.com:80               | timeout       | connected | [frontend-open, 1] the web  |
|                          |                                 |               |           | server should be held back  |
|                          |                                 |               |           | too                         |
| frontend-zone/dns-test   | pod/frontend-zone/web-server:80 | timeout       | connected | [frontend-open, 1] and      |
|                          |                                 |               |           | should not be reachable by  |
|                          |                                 |               |           | just anyone                 |
""",
    source="lab12-zero-trust#3",
    errata=[
        Erratum(
            id="frontend-open",
            wrong="the objective has all pods of both namespaces deny everything by default",
            why="a NetworkPolicy acts in its own namespace only, and the manifest is for secure-zone; no "
            "policy selects a pod of frontend-zone, so its pods keep sending and receiving",
            corrected="07-default-deny-both: the same policy once more, in frontend-zone",
        ),
    ],
)


@OUTCOMES.each_row
def test_default_deny(row, observed):
    assert observed == row.outcome, row.why
