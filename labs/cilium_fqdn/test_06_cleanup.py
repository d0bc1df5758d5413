"""Phase 6: the policy is deleted, and everything is as before."""

from harness.lab import documented

OUTCOMES = documented(
    """
step cleanup: 01-workloads

| from             | to                       | tutorial says | why                                    |
|------------------|--------------------------|---------------|----------------------------------------|
| fqdn-lab/backend | name/kubernetes.io:443   | connected     | no policy selects the backend any more |
| fqdn-lab/backend | name/cilium.io:443       | connected     | all egress is allowed again            |
| fqdn-lab/backend | net/cloudyuga.guru:80    | connected     | the address is open too                |
| fqdn-lab/backend | pod/fqdn-lab/frontend:80 | connected     | other pods are open too                |
""",
    source="cilium-fqdn#7.1.2",
    cni="cilium",
)


@OUTCOMES.each_row
def test_cleanup(row, observed):
    assert observed == row.outcome, row.why
