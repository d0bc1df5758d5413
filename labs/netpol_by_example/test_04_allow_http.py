"""Phase 4: let the namespace in at the web servers.

A connection passes two doors, the sender's egress and the receiver's ingress. This policy opens the second
one. Nothing in the table of results changes, because the first one is still shut.

A policy also counts for the directions in its policyTypes only. Apply this one alone, and the servers it
selects go wherever they like.
"""

from harness.core.lab.documented import Row
from harness.core.outcome import Reading
from harness.lab import Erratum, documented

PER_DIRECTION = Erratum(
    id="per-direction",
    wrong="once a pod is selected by a policy, only the traffic that rules allow passes, in and out",
    why="a pod is isolated for ingress and for egress one by one, by the policyTypes of the policies that select it; "
    "without policyTypes, a policy with ingress rules only is one for ingress",
    corrected="only the directions in policyTypes are closed: 07-allow-http says which one it means",
)

OUTCOMES = documented(
    """
| step  | apply                                                      | from                          | to                                           | outcome                                                                        | actual    | erratum       | command                                            | cite         | why                                                                                 |
|-------|------------------------------------------------------------|-------------------------------|----------------------------------------------|--------------------------------------------------------------------------------|-----------|---------------|----------------------------------------------------|--------------|-------------------------------------------------------------------------------------|
| http  | 01-workloads, 02-default-deny, 03-allow-dns, 04-allow-http | prod-nginx/debug              | lookup/my-nginx-clusterip                    | resolved                                                                       |           |               | dig +search +time=1 +tries=1 my-nginx-clusterip    | allow-http   | the first cell                                                                      |
| http  | 01-workloads, 02-default-deny, 03-allow-dns, 04-allow-http | prod-nginx/debug              | name/my-nginx-clusterip:80                   | timeout                                                                        |           |               | curl --connect-timeout 1 http://my-nginx-clusterip | allow-http   | the second cell: the servers let everybody in, and the debug pod may not go out     |
| http  | 01-workloads, 02-default-deny, 03-allow-dns, 04-allow-http | prod-nginx/debug              | svc/prod-nginx/my-nginx-clusterip:80         | timeout                                                                        |           |               |                                                    | ours         | the same, without a name                                                            |
| http  | 01-workloads, 02-default-deny, 03-allow-dns, 04-allow-http | prod-nginx/debug              | pod/prod-nginx/nginx-deployment-1:80         | timeout                                                                        |           |               |                                                    | allow-http   | the third cell: the sender is still closed                                          |
| http  | 01-workloads, 02-default-deny, 03-allow-dns, 04-allow-http | prod-nginx/debug              | pod/prod-nginx/nginx-deployment-2:80         | timeout                                                                        |           |               |                                                    | allow-http   | the third cell: the sender is still closed                                          |
| http  | 01-workloads, 02-default-deny, 03-allow-dns, 04-allow-http | prod-nginx/debug              | pod/prod-nginx/nginx-deployment-3:80         | timeout                                                                        |           |               |                                                    | allow-http   | the third cell: the sender is still closed                                          |
| http  | 01-workloads, 02-default-deny, 03-allow-dns, 04-allow-http | prod-nginx/nginx-deployment-1 | pod/prod-nginx/nginx-deployment-2:80         | timeout                                                                        |           |               |                                                    | allow-http   | the existing egress rules still apply: a server's own egress is as closed as before |
| http  | 01-workloads, 02-default-deny, 03-allow-dns, 04-allow-http | prod-nginx/nginx-deployment-1 | net/cloudyuga.guru:80                        | timeout                                                                        |           |               |                                                    | allow-http   | to the outside as well                                                              |
| http  | 01-workloads, 02-default-deny, 03-allow-dns, 04-allow-http | prod-nginx/nginx-deployment-1 | dns/A/kube-dns.kube-system.svc.cluster.local | resolved                                                                       |           |               |                                                    | allow-http   | and what egress allowed before, it still allows                                     |
| http  | 01-workloads, 02-default-deny, 03-allow-dns, 04-allow-http | prod-nginx/debug              | fact/policies                                | shows allow-dns (Egress); allow-http (Ingress); default-deny (Ingress, Egress) |           |               |                                                    | allow-http   | without policyTypes, ingress rules alone make a policy for ingress                  |
| alone | 01-workloads, 04-allow-http                                | prod-nginx/nginx-deployment-1 | net/cloudyuga.guru:80                        | timeout                                                                        | connected | per-direction |                                                    | default-deny | a selected pod gets only what rules allow, and no rule allows egress                |
| alone | 01-workloads, 04-allow-http                                | prod-nginx/nginx-deployment-1 | pod/prod-nginx/debug:80                      | timeout                                                                        | connected | per-direction |                                                    | default-deny | the same within the namespace                                                       |
| alone | 01-workloads, 04-allow-http                                | prod-nginx/debug              | pod/prod-nginx/nginx-deployment-1:80         | connected                                                                      |           |               |                                                    | allow-http   | with this policy alone nothing holds the debug pod back, and the rule lets it in    |
| alone | 01-workloads, 04-allow-http                                | prod-nginx/nginx-deployment-1 | pod/prod-nginx/nginx-deployment-2:80         | connected                                                                      |           |               |                                                    | allow-http   | the rule lets in all pods of the namespace, the servers among them                  |
| alone | 01-workloads, 04-allow-http                                | prod-nginx/debug              | svc/prod-nginx/my-nginx-clusterip:80         | connected                                                                      |           |               |                                                    | ours         | through the Service as well: policies look at the pod behind it                     |
""",
    source="netpol-by-example#allow-http",
    errata=[PER_DIRECTION],
)


@OUTCOMES.each_row
def test_allow_http(row: Row, observed: Reading) -> None:
    assert observed == row.outcome, row.why
