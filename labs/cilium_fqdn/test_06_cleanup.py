"""Phase 6: the policy is deleted, and everything is as before."""

from harness.core.lab.documented import Row
from harness.core.outcome import Reading
from harness.lab import documented

OUTCOMES = documented(
    """
| step    | apply        | from             | to                       | outcome   | cite  | why |
|---------|--------------|------------------|--------------------------|-----------|-------|-----|
| cleanup | 01-workloads | fqdn-lab/backend | name/kubernetes.io:443   | connected | 7.1.2 | no policy selects the backend any more |
| cleanup | 01-workloads | fqdn-lab/backend | name/cilium.io:443       | connected | 7.1.2 | all egress is allowed again |
| cleanup | 01-workloads | fqdn-lab/backend | net/cloudyuga.guru:80    | connected | 7.1.2 | by address too |
| cleanup | 01-workloads | fqdn-lab/backend | pod/fqdn-lab/frontend:80 | connected | 7.1.2 | and to other pods |
""",
    source="cilium-fqdn#7.1.2",
    cni="cilium",
)


@OUTCOMES.each_row
def test_cleanup(row: Row, observed: Reading) -> None:
    assert observed == row.outcome, row.why
