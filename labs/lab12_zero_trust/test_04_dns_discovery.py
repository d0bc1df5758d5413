"""Phase 4: what DNS tells of a Service, and what a trailing dot saves.

An SRV record is made for every *named* port of a Service (Kubernetes DNS specification, 2.3.2): no
Service, no record; no port name, no record either.

`ndots:5` makes the resolver try the search list first for every name with fewer than five dots. A
trailing dot says that the name is whole already. What it saves is questions, so questions are what we
count, at the name server; the clock comes second.
"""

from harness.lab import Erratum, documented

OUTCOMES = documented(
    """
step no-service: 01-workloads, 02-default-deny, 03-api-policy

| from                   | to                    | tutorial says       | really          | why                        |
|------------------------|-----------------------|---------------------|-----------------|----------------------------|
| frontend-zone/dns-test | dns/SRV/_http._tcp    | resolved 0 100 80   | dns_nxdomain    | [srv-no-service, 5.1] the  |
|                        | .payment-api          | payment-api         |                 | text's own question, on    |
|                        | .secure-zone          | .secure-zone        |                 | the text's own cluster     |
|                        | .svc.cluster.local    | .svc.cluster.local. |                 |                            |
  $ dig SRV _http._tcp.payment-api.secure-zone.svc.cluster.local
| frontend-zone/dns-test | option/ndots          | shows ndots:5       |                 | [5.2] the kubelet writes   |
|                        |                       |                     |                 | it for every pod with the  |
|                        |                       |                     |                 | default dnsPolicy          |
  $ cat /etc/resolv.conf
| frontend-zone/dns-test | questions/google.com  | shows 4 questions   |                 | [5.2] three search domains |
|                        |                       |                     |                 | are tried first, then the  |
|                        |                       |                     |                 | name itself                |
| frontend-zone/dns-test | questions/google.com. | shows 1 question    |                 | [5.2] the trailing dot     |
|                        |                       |                     |                 | bypasses the search list   |
| frontend-zone/dns-test | fact/lookup-time      | shows faster        |                 | [5.2] one answer is waited |
|                        |                       |                     |                 | for instead of four, one   |
|                        |                       |                     |                 | after the other            |
| frontend-zone/dns-test | fact/questions-saved  | shows 300 % fewer   | shows 75 %      | [300-percent, 7] the       |
|                        |                       | questions           | fewer questions | text's figure for the dot  |

step unnamed: 01-workloads, 02-default-deny, 03-api-policy, 04-service-unnamed-port

| from                   | to                 | tutorial says       | really       | why                           |
|------------------------|--------------------|---------------------|--------------|-------------------------------|
| frontend-zone/dns-test | dns/SRV/_http._tcp | resolved 0 100 80   | dns_nxdomain | [srv-unnamed-port, 5.1] the   |
|                        | .payment-api       | payment-api         |              | same question, with a Service |
|                        | .secure-zone       | .secure-zone        |              | as `kubectl expose` makes it  |
|                        | .svc.cluster.local | .svc.cluster.local. |              |                               |
  $ dig SRV _http._tcp.payment-api.secure-zone.svc.cluster.local
| frontend-zone/dns-test | dns/A/payment-api  | resolved            |              | [ours] the Service itself has |
|                        | .secure-zone       |                     |              | a name by now                 |
|                        | .svc.cluster.local |                     |              |                               |

step named: 01-workloads, 02-default-deny, 03-api-policy, 04-service-named-port

| from                     | to                              | tutorial says           | why                           |
|--------------------------|---------------------------------|-------------------------|-------------------------------|
| frontend-zone/dns-test   | dns/SRV/_http._tcp.payment-api  | resolved 0 100 80       | [5.1] priority 0, weight 100, |
|                          | .secure-zone.svc.cluster.local  | payment-api.secure-zone | port 80, and the target's     |
|                          |                                 | .svc.cluster.local.     | name                          |
  $ dig SRV _http._tcp.payment-api.secure-zone.svc.cluster.local
| frontend-zone/web-server | name/payment-api.secure-zone:80 | connected               | [ours] with a Service, web    |
|                          |                                 |                         | finds the API by name         |
  $ curl --connect-timeout 2 payment-api.secure-zone
""",
    source="lab12-zero-trust#5",
    errata=[
        Erratum(
            id="srv-no-service",
            wrong="the SRV question for the API is answered with a target and a port",
            why="the text creates pods only; without a Service there is no such name, with or without "
            "policies",
            corrected="04-service-named-port: a Service whose port is called http",
        ),
        Erratum(
            id="300-percent",
            wrong="the trailing dot reduces CoreDNS's load by up to 300 %",
            why="nothing shrinks by more than 100 %: four questions become one, which is 75 % fewer; the "
            "other way round, leaving out the dot adds 300 %",
            corrected="up to 75 % fewer questions, with a search list of three domains",
        ),
        Erratum(
            id="srv-unnamed-port",
            wrong="a Service is enough for the SRV question to be answered",
            why="the first label of the question is the port's name, and an unnamed port makes no SRV record",
            corrected="04-service-named-port: `name: http`",
        ),
    ],
)


@OUTCOMES.each_row
def test_dns_discovery(row, observed):
    assert observed == row.outcome, row.why
