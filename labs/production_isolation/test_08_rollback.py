"""Phase 8: a rollback plan, tried.

The plan: know the last good set; watch wanted and unwanted flows while a change goes out; when a
wanted flow falls silent, or an unwanted one passes, in several looks running, apply the last good set
again, and go on watching until it holds. Two changes go wrong here: one closes too much, and one opens
too much, which no user of the application would ever report. How long each lasted is in the notes.
"""

from harness.core.lab.documented import Row
from harness.core.outcome import Reading
from harness.lab import documented

OUTCOMES = documented(
    """
| step             | apply                                                                                                                              | from             | to                                | outcome                | cite | why |
|------------------|------------------------------------------------------------------------------------------------------------------------------------|------------------|-----------------------------------|------------------------|------|-----|
| broken-port      | 01-workloads, 05-default-deny-all, 05-allow-dns, 03-allow-backend-ingress, 05-frontend-to-backend, 05-gateway, 08-broken-port      | develop/frontend | pod/develop/backend:8080          | timeout                | ours | what the first change does: a wanted flow stops |
| broken-port      | 01-workloads, 05-default-deny-all, 05-allow-dns, 03-allow-backend-ingress, 05-frontend-to-backend, 05-gateway, 08-broken-port      | traefik/gateway  | pod/develop/backend:8080          | connected              | ours | while others go on, so a look at one flow is not enough |
| broken-allow-all | 01-workloads, 05-default-deny-all, 05-allow-dns, 03-allow-backend-ingress, 05-frontend-to-backend, 05-gateway, 08-broken-allow-all | develop/debug    | pod/develop/backend:8080          | connected              | ours | what the second change does: policies add up, and one that allows all undoes default deny |
| broken-allow-all | 01-workloads, 05-default-deny-all, 05-allow-dns, 03-allow-backend-ingress, 05-frontend-to-backend, 05-gateway, 08-broken-allow-all | develop/frontend | pod/develop/backend:8080          | connected              | ours | the application notices nothing |
| broken-allow-all | 01-workloads, 05-default-deny-all, 05-allow-dns, 03-allow-backend-ingress, 05-frontend-to-backend, 05-gateway, 08-broken-allow-all | develop/debug    | pod/production/production-db:5432 | timeout                | ours | the database is safe: its own namespace still denies |
| corrected        | 01-workloads, 05-default-deny-all, 05-allow-dns, 03-allow-backend-ingress, 05-frontend-to-backend, 05-gateway                      | develop/frontend | rollout/08-broken-port            | shows outage, restored | 0    | rolled out, noticed by the watch, and rolled back |
| corrected        | 01-workloads, 05-default-deny-all, 05-allow-dns, 03-allow-backend-ingress, 05-frontend-to-backend, 05-gateway                      | develop/frontend | rollout/08-broken-allow-all       | shows leak, restored   | 0    | the same for a change that opens too much |
""",
    source="production-isolation#0",
)


@OUTCOMES.each_row
def test_rollback(row: Row, observed: Reading) -> None:
    assert observed == row.outcome, row.why
