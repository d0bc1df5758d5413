"""Phase 4, ours: a DNS rule that lists names.

A question for a name that is not listed gets an answer at once: REFUSED, from Cilium's proxy. That
is a kindness, and a trap: with ndots:5 a lookup of kubernetes.io first asks for
kubernetes.io.fqdn-lab.svc.cluster.local, is refused, and ends there. Either list what the search list
makes of a name, or ask with a trailing dot.
"""

from harness.core.documented import Row
from harness.core.outcome import Reading
from harness.lab import documented

OUTCOMES = documented(
    """
| step        | apply                              | from             | to                     | outcome     | command                                       | why |
|-------------|------------------------------------|------------------|------------------------|-------------|-----------------------------------------------|-----|
| one-name    | 01-workloads, 04-dns-one-name      | fqdn-lab/backend | dns/A/kubernetes.io    | resolved    | dig kubernetes.io                             | the one question that is passed on |
| one-name    | 01-workloads, 04-dns-one-name      | fqdn-lab/backend | dns/A/cilium.io        | dns_refused | dig cilium.io                                 | refused, and at once: no timeout |
| one-name    | 01-workloads, 04-dns-one-name      | fqdn-lab/backend | lookup/kubernetes.io   | dns_refused |                                               | the search list's first question is for another name |
| one-name    | 01-workloads, 04-dns-one-name      | fqdn-lab/backend | name/kubernetes.io:443 | dns_refused | curl -Ik --connect-timeout 5 https://kubernetes.io | so the site that the policy allows is out of reach |
| one-name    | 01-workloads, 04-dns-one-name      | fqdn-lab/backend | name/kubernetes.io.:443 | connected  | curl -Ik --connect-timeout 5 https://kubernetes.io. | with the trailing dot there is one question only |
| search-list | 01-workloads, 04-dns-search-list   | fqdn-lab/backend | name/kubernetes.io:443 | connected   | curl -Ik --connect-timeout 5 https://kubernetes.io | with the search list's names it works as typed |
| search-list | 01-workloads, 04-dns-search-list   | fqdn-lab/backend | dns/A/cilium.io        | dns_refused |                                               | and other names stay closed |
""",
    source="cilium-fqdn#ours",
    cni="cilium",
)


@OUTCOMES.each_row
def test_dns_rule(row: Row, observed: Reading) -> None:
    assert observed == row.outcome, row.why
