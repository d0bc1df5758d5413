"""Phase 4: what DNS says about a Service, and what a trailing dot saves.

Every *named* port of a Service has an SRV record (Kubernetes DNS specification, 2.3.2). Without a
Service there is no record, and a port without a name has no record either.

With `ndots:5`, the resolver tries the search list first for every name that has fewer than five
dots. A dot at the end of the name says that the name is complete. The dot saves questions, so this
lab counts the questions at the name server. The time that a lookup takes comes second.
"""

from harness.lab import Erratum, documented

OUTCOMES = documented(
    """
step no-service: 01-workloads, 02-default-deny, 03-api-policy

| from                   | to                    | tutorial says       | really       | why                           |
|------------------------|-----------------------|---------------------|--------------|-------------------------------|
| frontend-zone/dns-test | dns/SRV/_http._tcp    | resolved 0 100 80   | dns_nxdomain | [srv-no-service, 5.1] the     |
|                        | .payment-api          | payment-api         |              | tutorial's cluster has no     |
|                        | .secure-zone          | .secure-zone        |              | Service                       |
|                        | .svc.cluster.local    | .svc.cluster.local. |              |                               |
  $ dig SRV _http._tcp.payment-api.secure-zone.svc.cluster.local
| frontend-zone/dns-test | option/ndots          | shows ndots:5       |              | [5.2] the kubelet writes this |
|                        |                       |                     |              | option for every pod with the |
|                        |                       |                     |              | default dnsPolicy             |
  $ cat /etc/resolv.conf
| frontend-zone/dns-test | questions/google.com  | shows 4 questions   |              | [5.2] three search domains    |
|                        |                       |                     |              | come first, then the name     |
|                        |                       |                     |              | itself                        |
| frontend-zone/dns-test | questions/google.com. | shows 1 question    |              | [5.2] the trailing dot skips  |
|                        |                       |                     |              | the search list               |
| frontend-zone/dns-test | fact/lookup-time      | shows faster        |              | [5.2] the pod waits for one   |
|                        | /google.com           |                     |              | answer, not for four in a row |
| frontend-zone/dns-test | fact/questions-saved  | shows 300 % fewer   | shows 75 %   | [300-percent, 7] four         |
|                        | /google.com           | questions           | fewer        | questions become one question |
|                        |                       |                     | questions    |                               |

step unnamed: 01-workloads, 02-default-deny, 03-api-policy, 04-service-unnamed-port

| from                   | to                 | tutorial says       | really       | why                           |
|------------------------|--------------------|---------------------|--------------|-------------------------------|
| frontend-zone/dns-test | dns/SRV/_http._tcp | resolved 0 100 80   | dns_nxdomain | [srv-unnamed-port, 5.1] the   |
|                        | .payment-api       | payment-api         |              | Service that `kubectl expose` |
|                        | .secure-zone       | .secure-zone        |              | makes has a port without a    |
|                        | .svc.cluster.local | .svc.cluster.local. |              | name                          |
  $ dig SRV _http._tcp.payment-api.secure-zone.svc.cluster.local
| frontend-zone/dns-test | dns/A/payment-api  | resolved            |              | [ours] the Service itself has |
|                        | .secure-zone       |                     |              | a name now                    |
|                        | .svc.cluster.local |                     |              |                               |

step named: 01-workloads, 02-default-deny, 03-api-policy, 04-service-named-port

| from                     | to                       | tutorial says           | why                                |
|--------------------------|--------------------------|-------------------------|------------------------------------|
| frontend-zone/dns-test   | dns/SRV/_http._tcp       | resolved 0 100 80       | [5.1] priority 0, weight 100, port |
|                          | .payment-api.secure-zone | payment-api.secure-zone | 80, and the target's name          |
|                          | .svc.cluster.local       | .svc.cluster.local.     |                                    |
  $ dig SRV _http._tcp.payment-api.secure-zone.svc.cluster.local
| frontend-zone/web-server | name/payment-api         | connected               | [ours] with a Service, web-server  |
|                          | .secure-zone:80          |                         | finds payment-api by name          |
  $ curl --connect-timeout 2 payment-api.secure-zone
""",
    source="lab12-zero-trust#5",
    errata=[
        Erratum(
            id="srv-no-service",
            wrong="the answer to the SRV question for the API has a target and a port",
            why="the tutorial makes pods only. Without a Service the name does not exist, with or without "
            "policies",
            corrected="04-service-named-port: a Service whose port is called http",
        ),
        Erratum(
            id="300-percent",
            wrong="the trailing dot reduces CoreDNS's load by up to 300 %",
            why="nothing becomes smaller by more than 100 %. Four questions become one question, which is "
            "75 % fewer. In the other direction, a missing dot adds 300 %",
            corrected="up to 75 % fewer questions, with a search list of three domains",
        ),
        Erratum(
            id="srv-unnamed-port",
            wrong="with a Service, the SRV question gets an answer",
            why="the first label of the question is the name of the port, and a port without a name has no "
            "SRV record",
            corrected="04-service-named-port: `name: http`",
        ),
    ],
)


@OUTCOMES.each_row
def test_dns_discovery(row, observed):
    assert observed == row.outcome, row.why
