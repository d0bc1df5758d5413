"""Phase 3, ours: patterns.

`*` in a pattern stands for part of one label, or for a whole one: it does not cross a dot, and the
name below which it stands is not meant. (A pattern that is `*` alone means every name.)
"""

from harness.core.lab.documented import Row
from harness.core.outcome import Reading
from harness.lab import documented

OUTCOMES = documented(
    """
| step    | apply                    | from             | to                     | outcome   | why |
|---------|--------------------------|------------------|------------------------|-----------|-----|
| pattern | 01-workloads, 03-pattern | fqdn-lab/backend | name/docs.cilium.io:443 | connected | one label below cilium.io |
| pattern | 01-workloads, 03-pattern | fqdn-lab/backend | name/cilium.io:443     | timeout   | not below cilium.io: the name itself |
| pattern | 01-workloads, 03-pattern | fqdn-lab/backend | name/kubernetes.io:443 | timeout   | no longer listed |
""",
    source="cilium-fqdn#ours",
    cni="cilium",
)


@OUTCOMES.each_row
def test_pattern(row: Row, observed: Reading) -> None:
    assert observed == row.outcome, row.why
