"""Phase 6: find what blocks a flow.

Ask three questions of each end: which policies isolate this pod for this direction, which of their
rules comes nearest, and what does that rule lack? `policylab diagnose` answers them from manifests
alone. Here the policies are read back from the cluster, and the CNI's own counters of dropped packets
must grow at the end that the answer names, and only there: a packet dropped on leaving never arrives.
"""

from harness.core.lab.documented import Row
from harness.core.outcome import Reading
from harness.lab import documented

OUTCOMES = documented(
    """
| step      | apply                                                                                                         | from                     | to                               | outcome                                                  | cite | why |
|-----------|---------------------------------------------------------------------------------------------------------------|--------------------------|----------------------------------|----------------------------------------------------------|------|-----|
| deny      | 01-workloads, 02-default-deny                                                                                 | develop/debug            | blocked/pod/develop/backend:8080 | shows Egress by default-deny-all                         | ours | both ends are shut, and the packets die at the first of them |
| baseline  | 01-workloads, 02-default-deny, 03-allow-backend-ingress, 03-allow-dns-egress                                  | develop/frontend         | blocked/pod/develop/backend:8080 | shows Egress by allow-dns-egress, default-deny-all       | ours | the missing half: the ingress is open, and the nearest egress rule is the one for DNS |
| baseline  | 01-workloads, 02-default-deny, 03-allow-backend-ingress, 03-allow-dns-egress                                  | production/production-db | blocked/pod/develop/backend:8080 | shows Ingress by allow-backend-ingress, default-deny-all | ours | nothing isolates the database, so the packets arrive and are dropped at the backend |
| half-open | 01-workloads, 02-default-deny, 03-allow-backend-ingress, 03-allow-dns-egress, 06-debug-egress                 | develop/debug            | blocked/pod/develop/backend:8080 | shows Ingress by allow-backend-ingress, default-deny-all | ours | with the egress opened the drop has moved to the other end |
| half-open | 01-workloads, 02-default-deny, 03-allow-backend-ingress, 03-allow-dns-egress, 06-debug-egress                 | develop/debug            | pod/develop/backend:8080         | timeout                                                  | ours | from outside both look the same: silence |
| corrected | 01-workloads, 05-default-deny-all, 05-allow-dns, 03-allow-backend-ingress, 05-frontend-to-backend, 05-gateway | develop/frontend         | blocked/pod/develop/backend:8080 | shows nothing                                            | ours | no end drops it any more |
""",
    source="production-isolation#0",
)


@OUTCOMES.each_row
def test_diagnosis(row: Row, observed: Reading) -> None:
    assert observed == row.outcome, row.why
