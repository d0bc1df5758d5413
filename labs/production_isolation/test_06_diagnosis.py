"""Phase 6: find out what blocks a flow.

Ask three questions at each end. Which policies isolate this pod in this direction? Which of their
rules is nearest to the flow? What does this rule lack? `policylab diagnose` answers them from
manifests alone. Here the policies are read back from the cluster, and the CNI's own counters of
dropped packets must grow at the end that the answer names, and only there: a packet that is dropped
when it leaves never arrives.
"""

from harness.lab import documented

OUTCOMES = documented(
    """
step deny: 01-workloads, 02-default-deny

| from          | to                               | tutorial says    | why                                          |
|---------------|----------------------------------|------------------|----------------------------------------------|
| develop/debug | blocked/pod/develop/backend:8080 | shows Egress by  | [ours] both ends are closed, and the packets |
|               |                                  | default-deny-all | are dropped at the first end                 |

step baseline: 01-workloads, 02-default-deny, 03-allow-backend-ingress, 03-allow-dns-egress

| from                     | to                               | tutorial says          | why                           |
|--------------------------|----------------------------------|------------------------|-------------------------------|
| develop/frontend         | blocked/pod/develop/backend:8080 | shows Egress by        | [ours] half of the path is    |
|                          |                                  | allow-dns-egress,      | missing: the ingress is open, |
|                          |                                  | default-deny-all       | and the nearest egress rule   |
|                          |                                  |                        | is for DNS                    |
| production/production-db | blocked/pod/develop/backend:8080 | shows Ingress by       | [ours] no policy isolates the |
|                          |                                  | allow-backend-ingress, | database, so the packets      |
|                          |                                  | default-deny-all       | arrive and are dropped at the |
|                          |                                  |                        | backend                       |

step half-open: 01-workloads, 02-default-deny, 03-allow-backend-ingress, 03-allow-dns-egress, 06-debug-egress

| from          | to                               | tutorial says          | why                                    |
|---------------|----------------------------------|------------------------|----------------------------------------|
| develop/debug | blocked/pod/develop/backend:8080 | shows Ingress by       | [ours] the egress is open now, so the  |
|               |                                  | allow-backend-ingress, | packets are dropped at the other end   |
|               |                                  | default-deny-all       |                                        |
| develop/debug | pod/develop/backend:8080         | timeout                | [ours] both cases look the same to the |
|               |                                  |                        | client: silence                        |

step corrected: 01-workloads, 05-default-deny-all, 05-allow-dns, 03-allow-backend-ingress, 05-frontend-to-backend,
    05-gateway

| from             | to                               | tutorial says | why                                      |
|------------------|----------------------------------|---------------|------------------------------------------|
| develop/frontend | blocked/pod/develop/backend:8080 | shows nothing | [ours] no end drops the packets any more |
""",
    source="production-isolation#0",
)


@OUTCOMES.each_row
def test_diagnosis(row, observed):
    assert observed == row.outcome, row.why
