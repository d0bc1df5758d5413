"""Phase 7: the version that holds every objective of the text.

Deny by default in both namespaces; web -> API -> database and nothing else, each path opened at both
of its ends; DNS over UDP and TCP to CoreDNS only; Services with named ports, so that names and SRV
records exist. Compare with phase 3: one door was missing, one protocol, one namespace, two Services.
"""

from harness.lab import documented

OUTCOMES = documented(
    """
step corrected: 01-workloads, 04-service-named-port, 05-db-service, 07-default-deny-both, 07-allow-dns, 07-web-to-api,
    07-api-to-db

| from                     | to                              | tutorial says         | why                             |
|--------------------------|---------------------------------|-----------------------|---------------------------------|
| frontend-zone/web-server | name/payment-api.secure-zone:80 | connected             | web talks to the API: both ends |
|                          |                                 |                       | are open, and DNS finds it      |
  $ curl --connect-timeout 2 payment-api.secure-zone
| secure-zone/payment-api  | name/secure-db.secure-zone      | connected             | the API talks to the database,  |
|                          | .svc.cluster.local:6379         |                       | by the name that the text uses  |
| frontend-zone/web-server | pod/secure-zone/payment-api:80  | connected             | by address as well              |
| secure-zone/payment-api  | pod/secure-zone/secure-db:6379  | connected             | by address as well              |
| frontend-zone/web-server | name/secure-db.secure-zone:6379 | timeout               | [6.1] web does not get around   |
|                          |                                 |                       | the API                         |
  $ curl --connect-timeout 2 secure-db.secure-zone:6379
| frontend-zone/web-server | pod/secure-zone/secure-db:6379  | timeout               | not by address either           |
| frontend-zone/dns-test   | pod/secure-zone/payment-api:80  | timeout               | another pod of the frontend's   |
|                          |                                 |                       | namespace is not web            |
| frontend-zone/dns-test   | pod/frontend-zone/web-server:80 | timeout               | deny by default holds in        |
|                          |                                 |                       | frontend-zone too               |
| secure-zone/payment-api  | pod/frontend-zone/web-server:80 | timeout               | the API talks to the database   |
|                          |                                 |                       | only                            |
| secure-zone/secure-db    | pod/secure-zone/payment-api:80  | timeout               | the database talks to nobody    |
| secure-zone/secure-db    | pod/frontend-zone/web-server:80 | timeout               | the database talks to nobody    |
| frontend-zone/web-server | net/google.com:80               | timeout               | [7] web has no way out          |
| secure-zone/payment-api  | net/google.com:80               | timeout               | [7] the API has no way out      |
| secure-zone/secure-db    | net/google.com:80               | timeout               | [7] the database has no way out |
| frontend-zone/web-server | ping/net/google.com             | timeout               | [3.1] nor for ICMP              |
| frontend-zone/web-server | dns/A/kube-dns.kube-system      | resolved              | DNS over UDP                    |
|                          | .svc.cluster.local              |                       |                                 |
| frontend-zone/web-server | dns/A/kube-dns.kube-system      | resolved              | [7] DNS over TCP                |
|                          | .svc.cluster.local/tcp          |                       |                                 |
| secure-zone/payment-api  | dns/A/kube-dns.kube-system      | resolved              | DNS over UDP                    |
|                          | .svc.cluster.local              |                       |                                 |
| secure-zone/payment-api  | dns/A/kube-dns.kube-system      | resolved              | [7] DNS over TCP                |
|                          | .svc.cluster.local/tcp          |                       |                                 |
| secure-zone/secure-db    | dns/A/kube-dns.kube-system      | resolved              | DNS over UDP                    |
|                          | .svc.cluster.local              |                       |                                 |
| secure-zone/secure-db    | dns/A/kube-dns.kube-system      | resolved              | [7] DNS over TCP                |
|                          | .svc.cluster.local/tcp          |                       |                                 |
| frontend-zone/web-server | svc/kube-system/kube-dns:9153   | timeout               | [ours] port 53 and no other:    |
|                          |                                 |                       | CoreDNS's metrics stay closed   |
| frontend-zone/dns-test   | dns/SRV/_http._tcp.payment-api  | resolved 0 100 80     | [5.1] the API's target and port |
|                          | .secure-zone.svc.cluster.local  | payment-api           |                                 |
|                          |                                 | .secure-zone          |                                 |
|                          |                                 | .svc.cluster.local.   |                                 |
  $ dig SRV _http._tcp.payment-api.secure-zone.svc.cluster.local
| secure-zone/payment-api  | dns/SRV/_redis._tcp.secure-db   | resolved 0 100 6379   | [5.1] the database's target and |
|                          | .secure-zone.svc.cluster.local  | secure-db.secure-zone | port                            |
|                          |                                 | .svc.cluster.local.   |                                 |
""",
    source="lab12-zero-trust#1",
)


@OUTCOMES.each_row
def test_corrected(row, observed):
    assert observed == row.outcome, row.why
