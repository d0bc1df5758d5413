"""Phase 7: the version that reaches every objective of the tutorial.

Both namespaces deny by default. The web server reaches the API, the API reaches the database, and
nothing else is open; each path is opened at both of its ends. DNS is open over UDP and TCP, to
CoreDNS only. The Services have named ports, so names and SRV records exist. Phase 3 lacked one end
of a path, one protocol, one namespace and two Services.
"""

from harness.lab import documented

OUTCOMES = documented(
    """
step corrected: 01-workloads, 04-service-named-port, 05-db-service, 07-default-deny-both, 07-allow-dns, 07-web-to-api,
    07-api-to-db

| from                     | to                              | tutorial says | why                                     |
|--------------------------|---------------------------------|---------------|-----------------------------------------|
| frontend-zone/web-server | name/payment-api.secure-zone:80 | connected     | web-server talks to payment-api: both   |
|                          |                                 |               | ends are open, and DNS finds the name   |
  $ curl --connect-timeout 2 payment-api.secure-zone
| secure-zone/payment-api  | name/secure-db.secure-zone      | connected     | payment-api talks to the database, by   |
|                          | .svc.cluster.local:6379         |               | the name that the tutorial uses         |
| frontend-zone/web-server | pod/secure-zone/payment-api:80  | connected     | the path is open by address too         |
| secure-zone/payment-api  | pod/secure-zone/secure-db:6379  | connected     | the path is open by address too         |
| frontend-zone/web-server | name/secure-db.secure-zone:6379 | timeout       | [6.1] web-server cannot go around       |
|                          |                                 |               | payment-api                             |
  $ curl --connect-timeout 2 secure-db.secure-zone:6379
| frontend-zone/web-server | pod/secure-zone/secure-db:6379  | timeout       | web-server has no way by address either |
| frontend-zone/dns-test   | pod/secure-zone/payment-api:80  | timeout       | dns-test is in the same namespace as    |
|                          |                                 |               | web-server, but it is not web-server    |
| frontend-zone/dns-test   | pod/frontend-zone/web-server:80 | timeout       | frontend-zone denies by default too     |
| secure-zone/payment-api  | pod/frontend-zone/web-server:80 | timeout       | payment-api talks to the database only  |
| secure-zone/secure-db    | pod/secure-zone/payment-api:80  | timeout       | the database talks to nobody            |
| secure-zone/secure-db    | pod/frontend-zone/web-server:80 | timeout       | the database talks to nobody            |
| frontend-zone/web-server | net/google.com:80               | timeout       | [7] web-server has no way out           |
| secure-zone/payment-api  | net/google.com:80               | timeout       | [7] payment-api has no way out          |
| secure-zone/secure-db    | net/google.com:80               | timeout       | [7] the database has no way out         |
| frontend-zone/web-server | ping/net/google.com             | timeout       | [3.1] ICMP has no way out either        |

| from                     | to                                               | tutorial says | why                  |
|--------------------------|--------------------------------------------------|---------------|----------------------|
| frontend-zone/web-server | dns/A/kube-dns.kube-system.svc.cluster.local     | resolved      | DNS is open over UDP |
| frontend-zone/web-server | dns/A/kube-dns.kube-system.svc.cluster.local/tcp | resolved      | [7] DNS is open over |
|                          |                                                  |               | TCP                  |
| secure-zone/payment-api  | dns/A/kube-dns.kube-system.svc.cluster.local     | resolved      | DNS is open over UDP |
| secure-zone/payment-api  | dns/A/kube-dns.kube-system.svc.cluster.local/tcp | resolved      | [7] DNS is open over |
|                          |                                                  |               | TCP                  |
| secure-zone/secure-db    | dns/A/kube-dns.kube-system.svc.cluster.local     | resolved      | DNS is open over UDP |
| secure-zone/secure-db    | dns/A/kube-dns.kube-system.svc.cluster.local/tcp | resolved      | [7] DNS is open over |
|                          |                                                  |               | TCP                  |

| from                     | to                            | tutorial says           | why                           |
|--------------------------|-------------------------------|-------------------------|-------------------------------|
| frontend-zone/web-server | svc/kube-system/kube-dns:9153 | timeout                 | [ours] only port 53 is open:  |
|                          |                               |                         | CoreDNS's metrics stay closed |
| frontend-zone/dns-test   | dns/SRV/_http._tcp            | resolved 0 100 80       | [5.1] the target and the port |
|                          | .payment-api.secure-zone      | payment-api.secure-zone | of payment-api                |
|                          | .svc.cluster.local            | .svc.cluster.local.     |                               |
  $ dig SRV _http._tcp.payment-api.secure-zone.svc.cluster.local
| secure-zone/payment-api  | dns/SRV/_redis._tcp.secure-db | resolved 0 100 6379     | [5.1] the target and the port |
|                          | .secure-zone                  | secure-db.secure-zone   | of the database               |
|                          | .svc.cluster.local            | .svc.cluster.local.     |                               |
""",
    source="lab12-zero-trust#1",
)


@OUTCOMES.each_row
def test_corrected(row, observed):
    assert observed == row.outcome, row.why
