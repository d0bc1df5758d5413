"""Phase 2: deny by default in `develop`, both ways.

The policy selects every pod of its namespace and lists no rule. Nothing gets in or out, DNS included,
and that last part is what people notice first. What the text calls blocking everything holds for the
one namespace that has the policy.
"""

from harness.core.lab.documented import Row
from harness.core.outcome import Reading
from harness.lab import Erratum, documented

ONE_NAMESPACE = Erratum(
    id="one-namespace",
    wrong="with default deny in place all traffic in the cluster is blocked unless it is explicitly permitted",
    why="a NetworkPolicy acts in its own namespace only; the text is about develop, and nothing selects a pod of "
    "production or traefik, so the database still talks and listens to all of them",
    corrected="05-default-deny-all: the same policy in every namespace",
)

OUTCOMES = documented(
    """
| step | apply                         | from                     | to                                               | outcome     | actual    | erratum       | cite | why |
|------|-------------------------------|--------------------------|--------------------------------------------------|-------------|-----------|---------------|------|-----|
| deny | 01-workloads, 02-default-deny | develop/debug            | pod/production/production-db:5432                | timeout     |           |               | 2    | the lateral movement of phase 1 ends: develop sends nothing |
| deny | 01-workloads, 02-default-deny | develop/debug            | pod/develop/backend:8080                         | timeout     |           |               | 2    | inside of the namespace as well |
| deny | 01-workloads, 02-default-deny | develop/frontend         | pod/develop/backend:8080                         | timeout     |           |               | 2    | needed or not: no rule opens it yet |
| deny | 01-workloads, 02-default-deny | traefik/gateway          | pod/develop/frontend:80                          | timeout     |           |               | 2    | ingress is dropped for every pod |
| deny | 01-workloads, 02-default-deny | traefik/gateway          | pod/develop/backend:8080                         | timeout     |           |               | 2    | the gateway has no path in either |
| deny | 01-workloads, 02-default-deny | develop/frontend         | dns/A/kube-dns.kube-system.svc.cluster.local     | dns_timeout |           |               | 4    | going dark: without an egress rule no name resolves |
| deny | 01-workloads, 02-default-deny | develop/frontend         | dns/A/kube-dns.kube-system.svc.cluster.local/tcp | dns_timeout |           |               | ours | over TCP it is no different |
| deny | 01-workloads, 02-default-deny | develop/frontend         | net/google.com:80                                | timeout     |           |               | 2    | nor does anything leave the cluster |
| deny | 01-workloads, 02-default-deny | production/production-db | pod/traefik/gateway:80                           | timeout     | connected | one-namespace | 0    | all traffic is to be blocked unless a rule permits it |
| deny | 01-workloads, 02-default-deny | traefik/gateway          | pod/production/production-db:5432                | timeout     | connected | one-namespace | 1    | the database is what isolation is for |
""",
    source="production-isolation#2",
    errata=[ONE_NAMESPACE],
)


@OUTCOMES.each_row
def test_default_deny(row: Row, observed: Reading) -> None:
    assert observed == row.outcome, row.why
