"""Phase 1: a flat network, in which one compromised pod is enough.

Where every pod may talk to every other pod, an attacker needs no exploit to move on: a debug pod of
`develop` connects to the database of `production`, just as the database's own clients do. This
phase shows that every flow which the later phases close is open.
"""

from harness.lab import documented

OUTCOMES = documented(
    """
step flat: 01-workloads

| from                     | to                                | tutorial says | why                                   |
|--------------------------|-----------------------------------|---------------|---------------------------------------|
| develop/debug            | pod/production/production-db:5432 | connected     | a debug pod of another namespace      |
|                          |                                   |               | reaches the production database       |
| develop/debug            | pod/develop/backend:8080          | connected     | the debug pod reaches the internal    |
|                          |                                   |               | services of its own namespace too     |
| develop/debug            | name/production-db                | connected     | the debug pod reaches the database by |
|                          | .production:5432                  |               | name, so an attacker has to guess     |
|                          |                                   |               | nothing                               |
| develop/frontend         | pod/develop/backend:8080          | connected     | [0] every pod may talk to every other |
|                          |                                   |               | pod; the application needs this flow  |
| develop/frontend         | pod/production/production-db:5432 | connected     | [0] the application does not need     |
|                          |                                   |               | this flow, which is open too          |
| production/production-db | pod/develop/frontend:80           | connected     | [0] the opposite direction is open    |
|                          |                                   |               | too, from the database into develop   |
| traefik/gateway          | pod/production/production-db:5432 | connected     | [0] the gateway faces the outside,    |
|                          |                                   |               | and it reaches the database           |
| production/production-db | net/google.com:80                 | connected     | [ours] nothing keeps stolen data from |
|                          |                                   |               | leaving the cluster                   |
""",
    source="production-isolation#1",
)


@OUTCOMES.each_row
def test_flat_network(row, observed):
    assert observed == row.outcome, row.why
