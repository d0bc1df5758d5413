"""Phase 3, which the tutorial does not have: patterns.

`*` in a pattern stands for a part of one label, or for a whole label. It does not match a dot:
`*.cilium.io` does not mean `cilium.io` itself. (The pattern `*` alone means every name.)
"""

from harness.lab import documented

OUTCOMES = documented(
    """
step pattern: 01-workloads, 03-pattern

| from             | to                      | tutorial says | why                                     |
|------------------|-------------------------|---------------|-----------------------------------------|
| fqdn-lab/backend | name/docs.cilium.io:443 | connected     | this name is one label below cilium.io  |
| fqdn-lab/backend | name/cilium.io:443      | timeout       | cilium.io itself is not below cilium.io |
| fqdn-lab/backend | name/kubernetes.io:443  | timeout       | this policy does not list the name      |
""",
    source="cilium-fqdn#ours",
    cni="cilium",
)


@OUTCOMES.each_row
def test_pattern(row, observed):
    assert observed == row.outcome, row.why
