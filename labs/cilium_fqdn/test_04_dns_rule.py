"""Phase 4, ours: a DNS rule that lists names.

A question for a name that is not listed gets an answer at once: REFUSED, from Cilium's proxy, where
a closed port 53 would leave the client waiting. With ndots:5 a lookup of kubernetes.io begins with
kubernetes.io.fqdn-lab.svc.cluster.local, which is not listed. What comes of it is the C library's
choice: glibc ends its search there and asks for the name as it is, so the site is reached.
"""

from harness.core.lab.documented import Row
from harness.core.outcome import Reading
from harness.lab import documented

OUTCOMES = documented(
    """
| step     | apply                         | from             | to                      | outcome     | command                                             | why |
|----------|-------------------------------|------------------|-------------------------|-------------|-----------------------------------------------------|-----|
| one-name | 01-workloads, 04-dns-one-name | fqdn-lab/backend | dns/A/kubernetes.io     | resolved    | dig kubernetes.io                                   | the one question that is passed on |
| one-name | 01-workloads, 04-dns-one-name | fqdn-lab/backend | dns/A/kubernetes.io.fqdn-lab.svc.cluster.local | dns_refused |                              | what the search list makes of it is another name |
| one-name | 01-workloads, 04-dns-one-name | fqdn-lab/backend | dns/A/cilium.io         | dns_refused | dig cilium.io                                       | refused, and at once: no timeout |
| one-name | 01-workloads, 04-dns-one-name | fqdn-lab/backend | dns/A/cilium.io/tcp     | dns_refused |                                                     | over TCP it is no different |
| one-name | 01-workloads, 04-dns-one-name | fqdn-lab/backend | lookup/kubernetes.io    | resolved    |                                                     | glibc goes on with the name as it is |
| one-name | 01-workloads, 04-dns-one-name | fqdn-lab/backend | name/kubernetes.io:443  | connected   | curl -Ik --connect-timeout 5 https://kubernetes.io  | so the allowed site is reached as typed |
| one-name | 01-workloads, 04-dns-one-name | fqdn-lab/backend | name/kubernetes.io.:443 | connected   | curl -Ik --connect-timeout 5 https://kubernetes.io. | with the trailing dot there is one question only |
| one-name | 01-workloads, 04-dns-one-name | fqdn-lab/backend | name/cilium.io:443      | dns_refused | curl -Ik --connect-timeout 5 https://cilium.io      | another site ends before any connection is tried |
""",
    source="cilium-fqdn#ours",
    cni="cilium",
)


@OUTCOMES.each_row
def test_dns_rule(row: Row, observed: Reading) -> None:
    assert observed == row.outcome, row.why
