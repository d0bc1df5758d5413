"""Phase 7: does a rule follow least privilege?

Two questions, both about a list of the flows that are wanted (the ConfigMap `wanted-flows`): is there a
rule, a peer or a port that none of them uses, and does anything pass that is not on the list? The
first is answered from the policies as the cluster holds them, the second by trying every flow.
`policylab privilege` answers both from manifests alone.
"""

from harness.core.lab.documented import Row
from harness.core.outcome import Reading
from harness.lab import documented

OUTCOMES = documented(
    """
| step      | apply                                                                                                         | from             | to                          | outcome                                             | cite | why |
|-----------|---------------------------------------------------------------------------------------------------------------|------------------|-----------------------------|-----------------------------------------------------|------|-----|
| baseline  | 01-workloads, 02-default-deny, 03-allow-backend-ingress, 03-allow-dns-egress                                  | develop/frontend | fact/unused-rules           | shows develop/allow-dns-egress egress rule 1 peer 2 | 4    | the second way to name CoreDNS matches no pod of a kubeadm cluster: harmless, and not least privilege |
| baseline  | 01-workloads, 02-default-deny, 03-allow-backend-ingress, 03-allow-dns-egress                                  | develop/frontend | fact/wanted-against-allowed | shows 6 unwanted, 6 missing                         | ours | too much: all of it starts in the two namespaces without a policy; too little: frontends to backends, gateway to frontends |
| flat      | 01-workloads                                                                                                  | develop/frontend | fact/wanted-against-allowed | shows 54 unwanted, 0 missing                        | ours | what a flat network allows beyond the list |
| corrected | 01-workloads, 05-default-deny-all, 05-allow-dns, 03-allow-backend-ingress, 05-frontend-to-backend, 05-gateway | develop/frontend | fact/unused-rules           | shows none                                          | ours | every peer and every port carries a wanted flow |
| corrected | 01-workloads, 05-default-deny-all, 05-allow-dns, 03-allow-backend-ingress, 05-frontend-to-backend, 05-gateway | develop/frontend | fact/wanted-against-allowed | shows 0 unwanted, 0 missing                         | ours | what passes is what is on the list |
""",
    source="production-isolation#0",
)


@OUTCOMES.each_row
def test_least_privilege(row: Row, observed: Reading) -> None:
    assert observed == row.outcome, row.why
