"""Phase 3: open the paths that the application needs, as the tutorial does it.

A connection has two ends, and both ends must allow it: the sender's egress and the receiver's
ingress. A policy for the API (`payment-api`) opens the API's end only. The path to the database is
still closed at the database's end.
"""

from harness.lab import Erratum, documented

OUTCOMES = documented(
    """
step allow: 01-workloads, 02-default-deny, 03-api-policy

| from                    | to                             | tutorial says | really       | why                        |
|-------------------------|--------------------------------|---------------|--------------|----------------------------|
| secure-zone/payment-api | pod/secure-zone/secure-db:6379 | connected     | timeout      | [db-ingress, 4.1]          |
|                         |                                |               |              | secure-db's own ingress is |
|                         |                                |               |              | still closed               |
| secure-zone/payment-api | dns/A/kube-dns.kube-system     | resolved      |              | [4.1] the rule allows UDP  |
|                         | .svc.cluster.local             |               |              | port 53                    |
| secure-zone/payment-api | dns/A/kube-dns.kube-system     | resolved      | dns_timeout  | [dns-tcp, 7] the rule      |
|                         | .svc.cluster.local/tcp         |               |              | lists UDP only             |
| secure-zone/payment-api | lookup/secure-db.secure-zone   | resolved      | dns_nxdomain | [no-service, 4.1] DNS is   |
|                         | .svc.cluster.local             |               |              | open, but no Service has   |
|                         |                                |               |              | this name                  |

| from                     | to                               | tutorial says | really    | why                        |
|--------------------------|----------------------------------|---------------|-----------|----------------------------|
| frontend-zone/web-server | pod/secure-zone/payment-api:80   | connected     |           | [4.1] the rule lets in the |
|                          |                                  |               |           | namespace frontend-zone    |
| frontend-zone/web-server | pod/secure-zone/secure-db:6379   | timeout       |           | [1] no rule lets           |
|                          |                                  |               |           | web-server in              |
| secure-zone/payment-api  | pod/frontend-zone/web-server:80  | timeout       |           | [1] only the database and  |
|                          |                                  |               |           | DNS are allowed            |
| secure-zone/payment-api  | net/google.com:80                | timeout       |           | [1] the outside is not     |
|                          |                                  |               |           | allowed either             |
| frontend-zone/web-server | net/google.com:80                | timeout       | connected | [frontend-open, 1] no      |
|                          |                                  |               |           | policy selects web-server  |
| frontend-zone/dns-test   | pod/secure-zone/payment-api:80   | connected     |           | [ours] the rule names a    |
|                          |                                  |               |           | namespace, so it lets in   |
|                          |                                  |               |           | every pod of it, not only  |
|                          |                                  |               |           | web-server                 |
| frontend-zone/web-server | pod/secure-zone/payment-api:8443 | refused       |           | [ours] the rule lists no   |
|                          |                                  |               |           | port, so all are open:     |
|                          |                                  |               |           | payment-api itself answers |
|                          |                                  |               |           | that nobody listens        |
| secure-zone/secure-db    | dns/A/kube-dns.kube-system       | dns_timeout   |           | [ours] the DNS rule is for |
|                          | .svc.cluster.local               |               |           | payment-api; secure-db has |
|                          |                                  |               |           | no egress at all           |
""",
    source="lab12-zero-trust#4",
    errata=[
        Erratum(
            id="db-ingress",
            wrong="the API's policy opens the path from the API to the database",
            why="the policy opens the API's egress. But default-deny-all still selects secure-db, and no "
            "policy allows its ingress: the packets leave the API and are dropped at the database",
            corrected="07-api-to-db: one rule at each end",
        ),
        Erratum(
            id="dns-tcp",
            wrong="port 53 is open over UDP and TCP",
            why="the rule lists UDP only. If an answer is too long for UDP, the client asks again over TCP "
            "(RFC 7766), and that question is dropped",
            corrected="07-allow-dns: both protocols",
        ),
        Erratum(
            id="no-service",
            wrong="with DNS open, the API resolves secure-db.secure-zone.svc.cluster.local",
            why="`kubectl run` makes a pod, not a Service, and only Services have such names. CoreDNS gets "
            "the question and answers that the name does not exist",
            corrected="05-db-service: a Service in front of the database",
        ),
        Erratum(
            id="frontend-open",
            wrong="web-server can talk to the API only",
            why="no policy selects web-server, so its egress is as open as it was without policies",
            corrected="07-default-deny-both with 07-web-to-api",
        ),
    ],
)


@OUTCOMES.each_row
def test_allow_list(row, observed):
    assert observed == row.outcome, row.why
