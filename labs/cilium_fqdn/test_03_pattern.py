"""Phase 3, ours: patterns.

`*` in a pattern stands for part of one label, or for a whole one: it does not cross a dot, and the
name below which it stands is not meant. (A pattern that is `*` alone means every name.)
"""

from harness.lab import documented

OUTCOMES = documented(
    """
step pattern: 01-workloads, 03-pattern

| from             | to                      | tutorial says | why                                  |
|------------------|-------------------------|---------------|--------------------------------------|
| fqdn-lab/backend | name/docs.cilium.io:443 | connected     | one label below cilium.io            |
| fqdn-lab/backend | name/cilium.io:443      | timeout       | not below cilium.io: the name itself |
| fqdn-lab/backend | name/kubernetes.io:443  | timeout       | no longer listed                     |
""",
    source="cilium-fqdn#ours",
    cni="cilium",
)


@OUTCOMES.each_row
def test_pattern(row, observed):
    assert observed == row.outcome, row.why
