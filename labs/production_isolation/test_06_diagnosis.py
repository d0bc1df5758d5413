"""Phase 6: find what blocks a flow.

Ask three questions of each end: which policies isolate this pod for this direction, which of their
rules comes nearest, and what does that rule lack? `policylab diagnose` answers them from manifests
alone. Here the policies are read back from the cluster, and the CNI's own counters of dropped packets
must grow at the end that the answer names, and only there: a packet dropped on leaving never arrives.
"""

from harness.lab import documented

OUTCOMES = documented(
    """
step deny: 01-workloads, 02-default-deny

| from          | to                               | tutorial says    | why                                        |
|---------------|----------------------------------|------------------|--------------------------------------------|
| develop/debug | blocked/pod/develop/backend:8080 | shows Egress by  | [ours] both ends are shut, and the packets |
|               |                                  | default-deny-all | die at the first of them                   |

step baseline: 01-workloads, 02-default-deny, 03-allow-backend-ingress, 03-allow-dns-egress

| from                     | to                               | tutorial says          | why                           |
|--------------------------|----------------------------------|------------------------|-------------------------------|
| develop/frontend         | blocked/pod/develop/backend:8080 | shows Egress by        | [ours] the missing half: the  |
|                          |                                  | allow-dns-egress,      | ingress is open, and the      |
|                          |                                  | default-deny-all       | nearest egress rule is the    |
|                          |                                  |                        | one for DNS                   |
| production/production-db | blocked/pod/develop/backend:8080 | shows Ingress by       | [ours] nothing isolates the   |
|                          |                                  | allow-backend-ingress, | database, so the packets      |
|                          |                                  | default-deny-all       | arrive and are dropped at the |
|                          |                                  |                        | backend                       |

step half-open: 01-workloads, 02-default-deny, 03-allow-backend-ingress, 03-allow-dns-egress, 06-debug-egress

| from          | to                               | tutorial says          | why                                     |
|---------------|----------------------------------|------------------------|-----------------------------------------|
| develop/debug | blocked/pod/develop/backend:8080 | shows Ingress by       | [ours] with the egress opened the drop  |
|               |                                  | allow-backend-ingress, | has moved to the other end              |
|               |                                  | default-deny-all       |                                         |
| develop/debug | pod/develop/backend:8080         | timeout                | [ours] from outside both look the same: |
|               |                                  |                        | silence                                 |

step corrected: 01-workloads, 05-default-deny-all, 05-allow-dns, 03-allow-backend-ingress, 05-frontend-to-backend,
    05-gateway

| from             | to                               | tutorial says | why                             |
|------------------|----------------------------------|---------------|---------------------------------|
| develop/frontend | blocked/pod/develop/backend:8080 | shows nothing | [ours] no end drops it any more |
""",
    source="production-isolation#0",
)


@OUTCOMES.each_row
def test_diagnosis(row, observed):
    assert observed == row.outcome, row.why
