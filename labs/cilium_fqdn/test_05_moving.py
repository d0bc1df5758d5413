"""Phase 5, ours: a name whose address changes.

This is what `toFQDNs` is for. When the name's time to live is over and the pod asks again, Cilium
sees the new answer and opens the new address; before that question it is closed like any other.

Last, two failures that no policy has to do with: each looks different from a policy's silence.
"""

from harness.lab import documented

OUTCOMES = documented(
    """
step moving: 01-workloads, 05-moving

| from             | to                        | tutorial says | why                                                   |
|------------------|---------------------------|---------------|-------------------------------------------------------|
| fqdn-lab/backend | name/moving.cilium.io:443 | connected     | at its first address                                  |
| fqdn-lab/backend | fact/new-address-unasked  | shows timeout | nobody has asked for the name since it moved: its new |
|                  |                           |               | address is closed                                     |

step moved: 01-workloads, 05-moving

| from             | to                     | tutorial says   | why                                                   |
|------------------|------------------------|-----------------|-------------------------------------------------------|
| fqdn-lab/backend | fact/new-address-asked | shows connected | asked again after its time to live, the name leads to |
|                  |                        |                 | the new address, and the way is open                  |

step faults: 01-workloads, 05-moving

| from             | to                      | tutorial says | why                                                |
|------------------|-------------------------|---------------|----------------------------------------------------|
| fqdn-lab/backend | fact/name-server-fails  | dns_servfail  | the name's own server is at fault: SERVFAIL, where |
|                  |                         |               | Cilium's refusal would be REFUSED                  |
| fqdn-lab/backend | fact/web-server-refuses | refused       | nobody listens: refused at once, where a policy's  |
|                  |                         |               | denial would be silence                            |
""",
    source="cilium-fqdn#ours",
    cni="cilium",
)


@OUTCOMES.each_row
def test_moving(row, observed):
    assert observed == row.outcome, row.why
