"""Phase 4, which the tutorial does not have: a DNS rule that lists names.

If a name is not listed, the question gets an answer at once: REFUSED, from Cilium's proxy. (With a
closed port 53 the client would wait.) With ndots:5 a lookup of kubernetes.io begins with
kubernetes.io.fqdn-lab.svc.cluster.local, which is not listed. The C library decides what happens
then: glibc ends its search there and asks for the name as it is, so the client reaches the site.
"""

from harness.lab import documented

OUTCOMES = documented(
    """
step one-name: 01-workloads, 04-dns-one-name

| from             | to                          | tutorial says | why                                                |
|------------------|-----------------------------|---------------|----------------------------------------------------|
| fqdn-lab/backend | dns/A/kubernetes.io         | resolved      | the proxy passes on this one question              |
  $ dig kubernetes.io
| fqdn-lab/backend | dns/A/kubernetes.io         | dns_refused   | the search list makes another name of it, which is |
|                  | .fqdn-lab.svc.cluster.local |               | not listed                                         |
| fqdn-lab/backend | dns/A/cilium.io             | dns_refused   | the proxy refuses at once: there is no timeout     |
  $ dig cilium.io
| fqdn-lab/backend | dns/A/cilium.io/tcp         | dns_refused   | over TCP the proxy refuses too                     |
| fqdn-lab/backend | lookup/kubernetes.io        | resolved      | glibc goes on with the name as it is               |
| fqdn-lab/backend | name/kubernetes.io:443      | connected     | so the client reaches the allowed site as people   |
|                  |                             |               | type it                                            |
  $ curl -Ik --connect-timeout 5 https://kubernetes.io
| fqdn-lab/backend | name/kubernetes.io.:443     | connected     | with the trailing dot there is only one question   |
  $ curl -Ik --connect-timeout 5 https://kubernetes.io.
| fqdn-lab/backend | name/cilium.io:443          | dns_refused   | for another site, the attempt ends before any      |
|                  |                             |               | connection                                         |
  $ curl -Ik --connect-timeout 5 https://cilium.io
""",
    source="cilium-fqdn#ours",
    cni="cilium",
)


@OUTCOMES.each_row
def test_dns_rule(row, observed):
    assert observed == row.outcome, row.why
