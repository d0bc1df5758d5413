"""Phase 8: a rollback plan, tried.

The plan: know the last good set; watch wanted and unwanted flows while a change goes out; when a
wanted flow falls silent, or an unwanted one passes, in several looks running, apply the last good set
again, and go on watching until it holds. Two changes go wrong here: one closes too much, and one opens
too much, which no user of the application would ever report. How long each lasted is in the notes.
"""

from harness.lab import documented

OUTCOMES = documented(
    """
step broken-port: 01-workloads, 05-default-deny-all, 05-allow-dns, 03-allow-backend-ingress, 05-frontend-to-backend,
    05-gateway, 08-broken-port

| from             | to                       | tutorial says | why                                                    |
|------------------|--------------------------|---------------|--------------------------------------------------------|
| develop/frontend | pod/develop/backend:8080 | timeout       | [ours] what the first change does: a wanted flow stops |
| traefik/gateway  | pod/develop/backend:8080 | connected     | [ours] while others go on, so a look at one flow is    |
|                  |                          |               | not enough                                             |

step broken-allow-all: 01-workloads, 05-default-deny-all, 05-allow-dns, 03-allow-backend-ingress,
    05-frontend-to-backend, 05-gateway, 08-broken-allow-all

| from             | to                                | tutorial says | why                                          |
|------------------|-----------------------------------|---------------|----------------------------------------------|
| develop/debug    | pod/develop/backend:8080          | connected     | [ours] what the second change does: policies |
|                  |                                   |               | add up, and one that allows all undoes       |
|                  |                                   |               | default deny                                 |
| develop/frontend | pod/develop/backend:8080          | connected     | [ours] the application notices nothing       |
| develop/debug    | pod/production/production-db:5432 | timeout       | [ours] the database is safe: its own         |
|                  |                                   |               | namespace still denies                       |

step corrected: 01-workloads, 05-default-deny-all, 05-allow-dns, 03-allow-backend-ingress, 05-frontend-to-backend,
    05-gateway

| from             | to                          | tutorial says          | why                                       |
|------------------|-----------------------------|------------------------|-------------------------------------------|
| develop/frontend | rollout/08-broken-port      | shows outage, restored | rolled out, noticed by the watch, and     |
|                  |                             |                        | rolled back                               |
| develop/frontend | rollout/08-broken-allow-all | shows leak, restored   | the same for a change that opens too much |
""",
    source="production-isolation#0",
)


@OUTCOMES.each_row
def test_rollback(row, observed):
    assert observed == row.outcome, row.why
