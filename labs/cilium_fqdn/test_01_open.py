"""Phase 1: before any policy.

Nothing selects the backend, so it reaches every site by its name. The two commands of the text are
run as they are typed; what stands in for the sites speaks HTTP/2 over TLS.
"""

from harness.core.lab.documented import Row
from harness.core.outcome import Reading
from harness.lab import documented

OUTCOMES = documented(
    """
| step | apply        | from             | to                         | outcome          | command                                           | cite  | why |
|------|--------------|------------------|----------------------------|------------------|---------------------------------------------------|-------|-----|
| open | 01-workloads | fqdn-lab/backend | name/kubernetes.io:443     | connected        | curl -Ik --connect-timeout 5 https://kubernetes.io | 7.1.1 | by default all traffic is allowed |
| open | 01-workloads | fqdn-lab/backend | name/cilium.io:443         | connected        | curl -Ik --connect-timeout 5 https://cilium.io     | 7.1.1 | both sites answer |
| open | 01-workloads | fqdn-lab/backend | fact/first-line            | shows HTTP/2 200 | curl -Ik --connect-timeout 5 https://kubernetes.io | 7.1.1 | what the text shows for kubernetes.io |
| all  | 01-workloads | fqdn-lab/backend | fact/first-line            | shows HTTP/2 200 | curl -Ik --connect-timeout 5 https://cilium.io     | 7.1.1 | and for cilium.io |
| open | 01-workloads | fqdn-lab/backend | lookup/kubernetes.io       | resolved         |                                                   | 7.1.1 | CoreDNS resolves it |
""",
    source="cilium-fqdn#7.1.1",
    cni="cilium",
)


@OUTCOMES.each_row
def test_open(row: Row, observed: Reading) -> None:
    assert observed == row.outcome, row.why
