"""Phase 5, which the tutorial does not have: a name whose address changes.

`toFQDNs` is made for such names. When the name's time to live is over and the pod asks again,
Cilium sees the new answer and opens the new address. Before that question, the new address is
closed like any other.

The last two rows are failures that have nothing to do with a policy. Each looks different from the
silence of a policy.
"""

from harness.lab import documented

OUTCOMES = documented(
    """
step moving: 01-workloads, 05-moving

| from             | to                         | tutorial says | why                                                  |
|------------------|----------------------------|---------------|------------------------------------------------------|
| fqdn-lab/backend | name/moving.cilium.io:443  | connected     | the name still has its first address                 |
| fqdn-lab/backend | fact/new-address-unasked   | shows timeout | nobody has asked for the name since it moved, so its |
|                  | /name/moving.cilium.io:443 |               | new address is closed                                |
|                  | /pod/fqdn-lab/frontend     |               |                                                      |

step moved: 01-workloads, 05-moving

| from             | to                         | tutorial says   | why                                                |
|------------------|----------------------------|-----------------|----------------------------------------------------|
| fqdn-lab/backend | fact/new-address-asked     | shows connected | the pod has asked again after the time to live, so |
|                  | /name/moving.cilium.io:443 |                 | the new address is open                            |

step faults: 01-workloads, 05-moving

| from             | to                         | tutorial says | why                                                  |
|------------------|----------------------------|---------------|------------------------------------------------------|
| fqdn-lab/backend | fact/name-server-fails     | dns_servfail  | the name's own server is at fault: it answers        |
|                  | /moving.cilium.io          |               | SERVFAIL, where Cilium would answer REFUSED          |
| fqdn-lab/backend | fact/web-server-refuses    | refused       | nobody listens there: the server refuses at once,    |
|                  | /name/moving.cilium.io:443 |               | where a policy would be silent                       |
""",
    source="cilium-fqdn#ours",
    cni="cilium",
)


@OUTCOMES.each_row
def test_moving(row, observed):
    assert observed == row.outcome, row.why
