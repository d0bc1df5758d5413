"""Phase 7: does a rule follow least privilege?

Two questions, both about a list of the flows that are wanted (the ConfigMap `wanted-flows`): is there a
rule, a peer or a port that none of them uses, and does anything pass that is not on the list? The
first is answered from the policies as the cluster holds them, the second by trying every flow.
`policylab privilege` answers both from manifests alone.
"""

from harness.lab import documented

OUTCOMES = documented(
    """
step baseline: 01-workloads, 02-default-deny, 03-allow-backend-ingress, 03-allow-dns-egress

| from             | to                      | tutorial says            | why                                          |
|------------------|-------------------------|--------------------------|----------------------------------------------|
| develop/frontend | fact/unused-rules       | shows                    | [4] the second way to name CoreDNS matches   |
|                  |                         | develop/allow-dns-egress | no pod of a kubeadm cluster: harmless, and   |
|                  |                         | egress rule 1 peer 2     | not least privilege                          |
| develop/frontend | fact                    | shows 6 unwanted, 6      | [ours] too much: all of it starts in the two |
|                  | /wanted-against-allowed | missing                  | namespaces without a policy; too little:     |
|                  |                         |                          | frontends to backends, gateway to frontends  |

step flat: 01-workloads

| from             | to                          | tutorial says                | why                               |
|------------------|-----------------------------|------------------------------|-----------------------------------|
| develop/frontend | fact/wanted-against-allowed | shows 54 unwanted, 0 missing | [ours] what a flat network allows |
|                  |                             |                              | beyond the list                   |

step corrected: 01-workloads, 05-default-deny-all, 05-allow-dns, 03-allow-backend-ingress, 05-frontend-to-backend,
    05-gateway

| from             | to                          | tutorial says               | why                                  |
|------------------|-----------------------------|-----------------------------|--------------------------------------|
| develop/frontend | fact/unused-rules           | shows none                  | [ours] every peer and every port     |
|                  |                             |                             | carries a wanted flow                |
| develop/frontend | fact/wanted-against-allowed | shows 0 unwanted, 0 missing | [ours] what passes is what is on the |
|                  |                             |                             | list                                 |
""",
    source="production-isolation#0",
)


@OUTCOMES.each_row
def test_least_privilege(row, observed):
    assert observed == row.outcome, row.why
