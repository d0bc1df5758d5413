"""Phase 7: does a rule follow least privilege?

Two questions compare the policies with a list of wanted flows (the ConfigMap `wanted-flows`). Is
there a rule, a peer or a port that no wanted flow uses? Does any flow pass that is not on the list?
The first answer comes from the policies as the cluster holds them, the second from a try of every
flow. `policylab privilege` answers both questions from manifests alone.
"""

from harness.lab import documented

OUTCOMES = documented(
    """
step baseline: 01-workloads, 02-default-deny, 03-allow-backend-ingress, 03-allow-dns-egress

| from             | to                      | tutorial says            | why                                         |
|------------------|-------------------------|--------------------------|---------------------------------------------|
| develop/frontend | fact/unused-rules       | shows                    | [4] the rule's second selector matches no   |
|                  |                         | develop/allow-dns-egress | pod of a kubeadm cluster: it is harmless,   |
|                  |                         | egress rule 1 peer 2     | but not least privilege                     |
| develop/frontend | fact                    | shows 6 unwanted, 6      | [ours] unwanted flows start in the two      |
|                  | /wanted-against-allowed | missing                  | namespaces without a policy; from frontends |
|                  |                         |                          | to backends, and from the gateway to        |
|                  |                         |                          | frontends, wanted flows are missing         |

step flat: 01-workloads

| from             | to                          | tutorial says                | why                                |
|------------------|-----------------------------|------------------------------|------------------------------------|
| develop/frontend | fact/wanted-against-allowed | shows 54 unwanted, 0 missing | [ours] so many unwanted flows pass |
|                  |                             |                              | on a flat network                  |

step corrected: 01-workloads, 05-default-deny-all, 05-allow-dns, 03-allow-backend-ingress, 05-frontend-to-backend,
    05-gateway

| from             | to                          | tutorial says               | why                                |
|------------------|-----------------------------|-----------------------------|------------------------------------|
| develop/frontend | fact/unused-rules           | shows none                  | [ours] every peer and every port   |
|                  |                             |                             | serves a wanted flow               |
| develop/frontend | fact/wanted-against-allowed | shows 0 unwanted, 0 missing | [ours] the flows that pass are the |
|                  |                             |                             | flows on the list                  |
""",
    source="production-isolation#0",
)


@OUTCOMES.each_row
def test_least_privilege(row, observed):
    assert observed == row.outcome, row.why
