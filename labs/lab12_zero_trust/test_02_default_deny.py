"""Phase 2: deny everything in `secure-zone`.

A policy that selects pods and lists no rule isolates these pods: silence in a policy means
"nobody". The selector `{}` means every pod of the policy's own namespace, and no pod of another
namespace. A namespace without a policy stays as open as before.
"""

from harness.lab import Erratum, documented

OUTCOMES = documented(
    """
step deny: 01-workloads, 02-default-deny

| from                     | to                              | tutorial says | why                                     |
|--------------------------|---------------------------------|---------------|-----------------------------------------|
| secure-zone/payment-api  | pod/secure-zone/secure-db:6379  | timeout       | payment-api may not send, and secure-db |
|                          |                                 |               | may not receive                         |
| frontend-zone/web-server | pod/secure-zone/payment-api:80  | timeout       | no rule lets web-server in              |
| frontend-zone/web-server | pod/secure-zone/secure-db:6379  | timeout       | secure-db may not receive either        |
| secure-zone/payment-api  | ping/net/google.com             | timeout       | [3.1] the Kubernetes API does not cover |
|                          |                                 |               | ICMP; both CNIs drop it                 |
| secure-zone/payment-api  | net/google.com:80               | timeout       | [7] a compromised pod cannot reach its  |
|                          |                                 |               | command server                          |
| secure-zone/payment-api  | pod/frontend-zone/web-server:80 | timeout       | [3.1] a compromised pod cannot scan the |
|                          |                                 |               | internal network                        |
| secure-zone/payment-api  | lookup/secure-db.secure-zone    | dns_timeout   | [4.1] DNS is closed too: the question   |
|                          | .svc.cluster.local              |               | itself is dropped                       |

| from                     | to                              | tutorial says | really    | why                        |
|--------------------------|---------------------------------|---------------|-----------|----------------------------|
| secure-zone/payment-api  | dns/A/kube-dns.kube-system      | dns_timeout   |           | [ours] over TCP the        |
|                          | .svc.cluster.local/tcp          |               |           | question is dropped too    |
| frontend-zone/web-server | net/google.com:80               | timeout       | connected | [frontend-open, 1] no      |
|                          |                                 |               |           | policy selects web-server, |
|                          |                                 |               |           | so it may send             |
| frontend-zone/dns-test   | pod/frontend-zone/web-server:80 | timeout       | connected | [frontend-open, 1] no      |
|                          |                                 |               |           | policy selects web-server, |
|                          |                                 |               |           | so everybody reaches it    |
""",
    source="lab12-zero-trust#3",
    errata=[
        Erratum(
            id="frontend-open",
            wrong="by the tutorial's objective, all pods of both namespaces deny all traffic by default",
            why="a NetworkPolicy acts in its own namespace only, and the manifest is for secure-zone. No "
            "policy selects a pod of frontend-zone, so these pods still send and receive",
            corrected="07-default-deny-both: the same policy in frontend-zone too",
        ),
    ],
)


@OUTCOMES.each_row
def test_default_deny(row, observed):
    assert observed == row.outcome, row.why
