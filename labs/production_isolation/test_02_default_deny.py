"""Phase 2: deny by default in `develop`, in both directions.

The policy selects every pod of its namespace and lists no rule. Nothing enters or leaves these
pods, and DNS is closed too, which people notice first. The tutorial says that all traffic is
blocked. That is true for the one namespace that has the policy.
"""

from harness.lab import Erratum, documented

OUTCOMES = documented(
    """
step deny: 01-workloads, 02-default-deny

| from             | to                                | tutorial says | why                                           |
|------------------|-----------------------------------|---------------|-----------------------------------------------|
| develop/debug    | pod/production/production-db:5432 | timeout       | the debug pod cannot move on: develop may not |
|                  |                                   |               | send                                          |
| develop/debug    | pod/develop/backend:8080          | timeout       | pods of develop may not reach each other      |
|                  |                                   |               | either                                        |
| develop/frontend | pod/develop/backend:8080          | timeout       | the application needs this flow, but no rule  |
|                  |                                   |               | opens it yet                                  |
| traefik/gateway  | pod/develop/frontend:80           | timeout       | the ingress of every pod is closed            |
| traefik/gateway  | pod/develop/backend:8080          | timeout       | the gateway does not reach the backend either |
| develop/frontend | dns/A/kube-dns.kube-system        | dns_timeout   | [4] no rule allows the egress to DNS, so no   |
|                  | .svc.cluster.local                |               | name resolves                                 |
| develop/frontend | dns/A/kube-dns.kube-system        | dns_timeout   | [ours] over TCP the question is dropped too   |
|                  | .svc.cluster.local/tcp            |               |                                               |
| develop/frontend | net/google.com:80                 | timeout       | nothing leaves the cluster either             |

| from                     | to                                | tutorial says | really    | why                     |
|--------------------------|-----------------------------------|---------------|-----------|-------------------------|
| production/production-db | pod/traefik/gateway:80            | timeout       | connected | [one-namespace, 0] no   |
|                          |                                   |               |           | policy selects a pod of |
|                          |                                   |               |           | production or traefik   |
| traefik/gateway          | pod/production/production-db:5432 | timeout       | connected | [one-namespace, 1] no   |
|                          |                                   |               |           | policy selects the      |
|                          |                                   |               |           | database                |
""",
    source="production-isolation#2",
    errata=[
        Erratum(
            id="one-namespace",
            wrong="with default deny in place, all traffic in the cluster is blocked unless a rule permits "
            "it",
            why="a NetworkPolicy acts in its own namespace only, and the policy of the tutorial is for "
            "develop. No policy selects a pod of production or traefik, so the database still sends to "
            "them and receives from them",
            corrected="05-default-deny-all: the same policy in every namespace",
        ),
    ],
)


@OUTCOMES.each_row
def test_default_deny(row, observed):
    assert observed == row.outcome, row.why
