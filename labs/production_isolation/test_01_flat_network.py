"""Phase 1: a flat network, in which one compromised pod is enough.

Lateral movement needs no exploit where every pod may talk to every other: a debug pod of `develop`
opens a connection to the database of `production` as the database's own clients do. Every flow that
the later phases close is shown open here.
"""

from harness.lab import documented

OUTCOMES = documented(
    """
step flat: 01-workloads

| from                     | to                                 | tutorial says | why                                  |
|--------------------------|------------------------------------|---------------|--------------------------------------|
| develop/debug            | pod/production/production-db:5432  | connected     | the debug pod of another namespace   |
|                          |                                    |               | reaches the production database      |
| develop/debug            | pod/develop/backend:8080           | connected     | and the internal services of its own |
|                          |                                    |               | namespace                            |
| develop/debug            | name/production-db.production:5432 | connected     | by name too: nothing has to be       |
|                          |                                    |               | guessed                              |
| develop/frontend         | pod/develop/backend:8080           | connected     | [0] any pod may talk to any other:   |
|                          |                                    |               | the flow that the application needs  |
| develop/frontend         | pod/production/production-db:5432  | connected     | [0] and one that it does not need    |
| production/production-db | pod/develop/frontend:80            | connected     | [0] the other way round, from the    |
|                          |                                    |               | database into develop                |
| traefik/gateway          | pod/production/production-db:5432  | connected     | [0] the gateway faces the outside,   |
|                          |                                    |               | and reaches the database             |
| production/production-db | net/google.com:80                  | connected     | [ours] nothing keeps stolen data     |
|                          |                                    |               | from leaving the cluster             |
""",
    source="production-isolation#1",
)


@OUTCOMES.each_row
def test_flat_network(row, observed):
    assert observed == row.outcome, row.why
