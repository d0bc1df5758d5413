"""Phase 3: open what the application needs, as the tutorial does it.

A connection has two ends, and both must agree: the sender's egress and the receiver's ingress. One
policy for the API speaks for the API only. What it opens towards the database is still shut at the
database's own door.
"""

from harness.lab import Erratum, documented

OUTCOMES = documented(
    """
step allow: 01-workloads, 02-default-deny, 03-api-policy

| from                     | to                               | tutorial says | really       | why                     |
|--------------------------|----------------------------------|---------------|--------------|-------------------------|
| secure-zone/payment-api  | pod/secure-zone/secure-db:6379   | connected     | timeout      | [db-ingress, 4.1] the   |
|                          |                                  |               |              | first path that the     |
|                          |                                  |               |              | text opens              |
| secure-zone/payment-api  | dns/A/kube-dns.kube-system       | resolved      |              | [4.1] the rule for UDP  |
|                          | .svc.cluster.local               |               |              | 53 lets the question    |
|                          |                                  |               |              | through                 |
| secure-zone/payment-api  | dns/A/kube-dns.kube-system       | resolved      | dns_timeout  | [dns-tcp, 7] the text   |
|                          | .svc.cluster.local/tcp           |               |              | counts TCP among what   |
|                          |                                  |               |              | every egress policy     |
|                          |                                  |               |              | must open               |
| secure-zone/payment-api  | lookup/secure-db.secure-zone     | resolved      | dns_nxdomain | [no-service, 4.1] the   |
|                          | .svc.cluster.local               |               |              | name that the text      |
|                          |                                  |               |              | warns of                |
| frontend-zone/web-server | pod/secure-zone/payment-api:80   | connected     |              | [4.1] ingress from the  |
|                          |                                  |               |              | frontend's namespace is |
|                          |                                  |               |              | allowed                 |
| frontend-zone/web-server | pod/secure-zone/secure-db:6379   | timeout       |              | [1] the database stays  |
|                          |                                  |               |              | closed to the frontend  |
| secure-zone/payment-api  | pod/frontend-zone/web-server:80  | timeout       |              | [1] the API may talk to |
|                          |                                  |               |              | the database and DNS    |
|                          |                                  |               |              | only                    |
| secure-zone/payment-api  | net/google.com:80                | timeout       |              | [1] and not to the      |
|                          |                                  |               |              | outside                 |
| frontend-zone/web-server | net/google.com:80                | timeout       | connected    | [frontend-open, 1] web  |
|                          |                                  |               |              | should reach the API    |
|                          |                                  |               |              | and nothing else        |
| frontend-zone/dns-test   | pod/secure-zone/payment-api:80   | connected     |              | [ours] the rule names a |
|                          |                                  |               |              | namespace, so every pod |
|                          |                                  |               |              | in it is let in, not    |
|                          |                                  |               |              | web-server only         |
| frontend-zone/web-server | pod/secure-zone/payment-api:8443 | refused       |              | [ours] the rule lists   |
|                          |                                  |               |              | no port, so all are     |
|                          |                                  |               |              | open: the API itself    |
|                          |                                  |               |              | answers that nobody     |
|                          |                                  |               |              | listens                 |
| secure-zone/secure-db    | dns/A/kube-dns.kube-system       | dns_timeout   |              | [ours] the DNS rule is  |
|                          | .svc.cluster.local               |               |              | for the API; the        |
|                          |                                  |               |              | database still has no   |
|                          |                                  |               |              | egress at all           |
""",
    source="lab12-zero-trust#4",
    errata=[
        Erratum(
            id="db-ingress",
            wrong="the API's policy opens the path from the API to the database",
            why="it opens the API's egress; secure-db is still selected by default-deny-all, and no policy "
            "allows its ingress, so the packets leave the API and are dropped at the database",
            corrected="07-api-to-db: one rule at each end",
        ),
        Erratum(
            id="dns-tcp",
            wrong="port 53 is open over UDP and TCP",
            why="the rule lists UDP only; a long answer is cut off and asked for again over TCP (RFC 7766), "
            "which is dropped",
            corrected="07-allow-dns: both protocols",
        ),
        Erratum(
            id="no-service",
            wrong="with DNS open, the API resolves secure-db.secure-zone.svc.cluster.local",
            why="`kubectl run` makes a pod, not a Service, and only Services have such names: CoreDNS is "
            "reached and answers that the name does not exist",
            corrected="05-db-service: a Service in front of the database",
        ),
        Erratum(
            id="frontend-open",
            wrong="web can talk to the API only",
            why="nothing selects web-server, so its egress is as open as on the first day",
            corrected="07-default-deny-both with 07-web-to-api",
        ),
    ],
)


@OUTCOMES.each_row
def test_allow_list(row, observed):
    assert observed == row.outcome, row.why
