"""Phase 2: deny by default in `develop`, both ways.

The policy selects every pod of its namespace and lists no rule. Nothing gets in or out, DNS included,
and that last part is what people notice first. What the text calls blocking everything holds for the
one namespace that has the policy.
"""

from harness.lab import Erratum, documented

OUTCOMES = documented(
    """
step deny: 01-workloads, 02-default-deny

| from                     | to                                | tutorial says | really    | why                      |
|--------------------------|-----------------------------------|---------------|-----------|--------------------------|
| develop/debug            | pod/production/production-db:5432 | timeout       |           | the lateral movement of  |
|                          |                                   |               |           | phase 1 ends: develop    |
|                          |                                   |               |           | sends nothing            |
| develop/debug            | pod/develop/backend:8080          | timeout       |           | inside of the namespace  |
|                          |                                   |               |           | as well                  |
| develop/frontend         | pod/develop/backend:8080          | timeout       |           | needed or not: no rule   |
|                          |                                   |               |           | opens it yet             |
| traefik/gateway          | pod/develop/frontend:80           | timeout       |           | ingress is dropped for   |
|                          |                                   |               |           | every pod                |
| traefik/gateway          | pod/develop/backend:8080          | timeout       |           | the gateway has no path  |
|                          |                                   |               |           | in either                |
| develop/frontend         | dns/A/kube-dns.kube-system        | dns_timeout   |           | [4] going dark: without  |
|                          | .svc.cluster.local                |               |           | an egress rule no name   |
|                          |                                   |               |           | resolves                 |
| develop/frontend         | dns/A/kube-dns.kube-system        | dns_timeout   |           | [ours] over TCP it is no |
|                          | .svc.cluster.local/tcp            |               |           | different                |
| develop/frontend         | net/google.com:80                 | timeout       |           | nor does anything leave  |
|                          |                                   |               |           | the cluster              |
| production/production-db | pod/traefik/gateway:80            | timeout       | connected | [one-namespace, 0] all   |
|                          |                                   |               |           | traffic is to be blocked |
|                          |                                   |               |           | unless a rule permits it |
| traefik/gateway          | pod/production/production-db:5432 | timeout       | connected | [one-namespace, 1] the   |
|                          |                                   |               |           | database is what         |
|                          |                                   |               |           | isolation is for         |
""",
    source="production-isolation#2",
    errata=[
        Erratum(
            id="one-namespace",
            wrong="with default deny in place all traffic in the cluster is blocked unless it is explicitly "
            "permitted",
            why="a NetworkPolicy acts in its own namespace only; the text is about develop, and nothing "
            "selects a pod of production or traefik, so the database still talks and listens to all of "
            "them",
            corrected="05-default-deny-all: the same policy in every namespace",
        ),
    ],
)


@OUTCOMES.each_row
def test_default_deny(row, observed):
    assert observed == row.outcome, row.why
