"""Phase 4, ours: a DNS rule that lists names.

A question for a name that is not listed gets an answer at once: REFUSED, from Cilium's proxy, where
a closed port 53 would leave the client waiting. With ndots:5 a lookup of kubernetes.io begins with
kubernetes.io.fqdn-lab.svc.cluster.local, which is not listed. What comes of it is the C library's
choice: glibc ends its search there and asks for the name as it is, so the site is reached.
"""

from harness.lab import documented

OUTCOMES = documented(
    """
step one-name: 01-workloads, 04-dns-one-name

| from             | to                           | tutorial says | why                                              |
|------------------|------------------------------|---------------|--------------------------------------------------|
| fqdn-lab/backend | dns/A/kubernetes.io          | resolved      | the one question that is passed on               |
  $ dig kubernetes.io
| fqdn-lab/backend | dns/A/kubernetes.io.fqdn-lab | dns_refused   | what the search list makes of it is another name |
|                  | .svc.cluster.local           |               |                                                  |
| fqdn-lab/backend | dns/A/cilium.io              | dns_refused   | refused, and at once: no timeout                 |
  $ dig cilium.io
| fqdn-lab/backend | dns/A/cilium.io/tcp          | dns_refused   | over TCP it is no different                      |
| fqdn-lab/backend | lookup/kubernetes.io         | resolved      | glibc goes on with the name as it is             |
| fqdn-lab/backend | name/kubernetes.io:443       | connected     | so the allowed site is reached as typed          |
  $ curl -Ik --connect-timeout 5 https://kubernetes.io
| fqdn-lab/backend | name/kubernetes.io.:443      | connected     | with the trailing dot there is one question only |
  $ curl -Ik --connect-timeout 5 https://kubernetes.io.
| fqdn-lab/backend | name/cilium.io:443           | dns_refused   | another site ends before any connection is tried |
  $ curl -Ik --connect-timeout 5 https://cilium.io
""",
    source="cilium-fqdn#ours",
    cni="cilium",
)


@OUTCOMES.each_row
def test_dns_rule(row, observed):
    assert observed == row.outcome, row.why
