"""Phase 4: what DNS tells of a Service, and what a trailing dot saves.

An SRV record is made for every *named* port of a Service (Kubernetes DNS specification, 2.3.2): no
Service, no record; no port name, no record either.

`ndots:5` makes the resolver try the search list first for every name with fewer than five dots. A
trailing dot says that the name is whole already. What it saves is questions, so questions are what we
count, at the name server; the clock comes second.
"""

from harness.core.lab.documented import Row
from harness.core.outcome import Reading
from harness.lab import Erratum, documented

SRV_NO_SERVICE = Erratum(
    id="srv-no-service",
    wrong="the SRV question for the API is answered with a target and a port",
    why="the text creates pods only; without a Service there is no such name, with or without policies",
    corrected="04-service-named-port: a Service whose port is called http",
)
SRV_UNNAMED = Erratum(
    id="srv-unnamed-port",
    wrong="a Service is enough for the SRV question to be answered",
    why="the first label of the question is the port's name, and an unnamed port makes no SRV record",
    corrected="04-service-named-port: `name: http`",
)
THREE_HUNDRED = Erratum(
    id="300-percent",
    wrong="the trailing dot reduces CoreDNS's load by up to 300 %",
    why="nothing shrinks by more than 100 %: four questions become one, which is 75 % fewer; the other way "
    "round, leaving out the dot adds 300 %",
    corrected="up to 75 % fewer questions, with a search list of three domains",
)

OUTCOMES = documented(
    """
| step       | apply                                                                   | from                   | to                      | outcome                 | actual | erratum | command | cite | why |
|------------|-------------------------------------------------------------------------|------------------------|-------------------------|-------------------------|--------|---------|---------|------|-----|
| no-service | 01-workloads, 02-default-deny, 03-api-policy                            | frontend-zone/dns-test | dns/SRV/_http._tcp.payment-api.secure-zone.svc.cluster.local | resolved 0 100 80 payment-api.secure-zone.svc.cluster.local. | dns_nxdomain | srv-no-service   | dig SRV _http._tcp.payment-api.secure-zone.svc.cluster.local | 5.1 | the text's own question, on the text's own cluster |
| no-service | 01-workloads, 02-default-deny, 03-api-policy                            | frontend-zone/dns-test | option/ndots            | shows ndots:5           |        |         | cat /etc/resolv.conf  | 5.2 | the kubelet writes it for every pod with the default dnsPolicy |
| no-service | 01-workloads, 02-default-deny, 03-api-policy                            | frontend-zone/dns-test | questions/google.com    | shows 4 questions       |        |         |                       | 5.2 | three search domains are tried first, then the name itself |
| no-service | 01-workloads, 02-default-deny, 03-api-policy                            | frontend-zone/dns-test | questions/google.com.   | shows 1 question        |        |         |                       | 5.2 | the trailing dot bypasses the search list |
| no-service | 01-workloads, 02-default-deny, 03-api-policy                            | frontend-zone/dns-test | fact/lookup-time        | shows faster            |        |         |                       | 5.2 | one answer is waited for instead of four, one after the other |
| no-service | 01-workloads, 02-default-deny, 03-api-policy                            | frontend-zone/dns-test | fact/questions-saved    | shows 300 % fewer questions | shows 75 % fewer questions | 300-percent | | 7 | the text's figure for the dot |
| unnamed    | 01-workloads, 02-default-deny, 03-api-policy, 04-service-unnamed-port   | frontend-zone/dns-test | dns/SRV/_http._tcp.payment-api.secure-zone.svc.cluster.local | resolved 0 100 80 payment-api.secure-zone.svc.cluster.local. | dns_nxdomain | srv-unnamed-port | dig SRV _http._tcp.payment-api.secure-zone.svc.cluster.local | 5.1 | the same question, with a Service as `kubectl expose` makes it |
| unnamed    | 01-workloads, 02-default-deny, 03-api-policy, 04-service-unnamed-port   | frontend-zone/dns-test | dns/A/payment-api.secure-zone.svc.cluster.local | resolved |        |         |                       | ours | the Service itself has a name by now |
| named      | 01-workloads, 02-default-deny, 03-api-policy, 04-service-named-port     | frontend-zone/dns-test | dns/SRV/_http._tcp.payment-api.secure-zone.svc.cluster.local | resolved 0 100 80 payment-api.secure-zone.svc.cluster.local. | | | dig SRV _http._tcp.payment-api.secure-zone.svc.cluster.local | 5.1 | priority 0, weight 100, port 80, and the target's name |
| named      | 01-workloads, 02-default-deny, 03-api-policy, 04-service-named-port     | frontend-zone/web-server | name/payment-api.secure-zone:80 | connected     |        |         | curl --connect-timeout 2 payment-api.secure-zone | ours | with a Service, web finds the API by name |
""",
    source="lab12-zero-trust#5",
    errata=[SRV_NO_SERVICE, SRV_UNNAMED, THREE_HUNDRED],
)


@OUTCOMES.each_row
def test_dns_discovery(row: Row, observed: Reading) -> None:
    assert observed == row.outcome, row.why
