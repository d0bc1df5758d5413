"""Phase 5, ours: a name whose address changes.

This is what `toFQDNs` is for. When the name's time to live is over and the pod asks again, Cilium
sees the new answer and opens the new address; before that question it is closed like any other.
"""

from harness.core.documented import Row
from harness.core.outcome import Reading
from harness.lab import documented

OUTCOMES = documented(
    """
| step   | apply                   | from             | to                         | outcome        | why |
|--------|-------------------------|------------------|----------------------------|----------------|-----|
| moving | 01-workloads, 05-moving | fqdn-lab/backend | name/moving.cilium.io:443  | connected      | at its first address |
| moving | 01-workloads, 05-moving | fqdn-lab/backend | fact/new-address-unasked   | shows timeout  | nobody has asked for the name since it moved: its new address is closed |
| moved  | 01-workloads, 05-moving | fqdn-lab/backend | fact/new-address-asked     | shows connected | asked again after its time to live, the name leads to the new address, and the way is open |
""",
    source="cilium-fqdn#ours",
    cni="cilium",
)


@OUTCOMES.each_row
def test_moving(row: Row, observed: Reading) -> None:
    assert observed == row.outcome, row.why
