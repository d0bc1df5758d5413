"""Phase 8: a plan for a rollback, tried out.

The plan: know the last good set of policies. Watch wanted and unwanted flows while a change goes
out. When a wanted flow falls silent or an unwanted flow passes, several times in a row, apply the
last good set again, and go on watching until all flows are right. Two changes go wrong here. One
closes too much; the other opens too much, which no user of the application would ever report. The
notes say how long each fault lasted.
"""

from harness.lab import documented

OUTCOMES = documented(
    """
step broken-port: 01-workloads, 05-default-deny-all, 05-allow-dns, 03-allow-backend-ingress, 05-frontend-to-backend,
    05-gateway, 08-broken-port

| from             | to                       | tutorial says | why                                                    |
|------------------|--------------------------|---------------|--------------------------------------------------------|
| develop/frontend | pod/develop/backend:8080 | timeout       | [ours] the first change stops a wanted flow            |
| traefik/gateway  | pod/develop/backend:8080 | connected     | [ours] other flows go on, so it is not enough to watch |
|                  |                          |               | one flow                                               |

step broken-allow-all: 01-workloads, 05-default-deny-all, 05-allow-dns, 03-allow-backend-ingress,
    05-frontend-to-backend, 05-gateway, 08-broken-allow-all

| from             | to                                | tutorial says | why                                          |
|------------------|-----------------------------------|---------------|----------------------------------------------|
| develop/debug    | pod/develop/backend:8080          | connected     | [ours] the second change opens too much: a   |
|                  |                                   |               | policy that allows everything undoes default |
|                  |                                   |               | deny                                         |
| develop/frontend | pod/develop/backend:8080          | connected     | [ours] the application notices nothing       |
| develop/debug    | pod/production/production-db:5432 | timeout       | [ours] the database is safe: its own         |
|                  |                                   |               | namespace still denies                       |

step corrected: 01-workloads, 05-default-deny-all, 05-allow-dns, 03-allow-backend-ingress, 05-frontend-to-backend,
    05-gateway

| from             | to                          | tutorial says          | why                                        |
|------------------|-----------------------------|------------------------|--------------------------------------------|
| develop/frontend | rollout/08-broken-port      | shows outage, restored | the change goes out, the watch notices the |
|                  |                             |                        | outage, and the last good set comes back   |
| develop/frontend | rollout/08-broken-allow-all | shows leak, restored   | the same happens to a change that opens    |
|                  |                             |                        | too much                                   |
""",
    source="production-isolation#0",
)


@OUTCOMES.each_row
def test_rollback(row, observed):
    assert observed == row.outcome, row.why
