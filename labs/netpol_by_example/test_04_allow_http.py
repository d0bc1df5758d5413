"""Phase 4: let the namespace in at the web servers.

A connection passes two doors, the sender's egress and the receiver's ingress. This policy opens the second
one. Nothing in the table of results changes, because the first one is still shut.

A policy also counts for the directions in its policyTypes only. Apply this one alone, and the servers it
selects go wherever they like.
"""

from harness.lab import Erratum, documented

OUTCOMES = documented(
    """
step http: 01-workloads, 02-default-deny, 03-allow-dns, 04-allow-http

| from                          | to                                   | tutorial says     | why                      |
|-------------------------------|--------------------------------------|-------------------|--------------------------|
| prod-nginx/debug              | lookup/my-nginx-clusterip            | resolved          | the first cell           |
  $ dig +search +time=1 +tries=1 my-nginx-clusterip
| prod-nginx/debug              | name/my-nginx-clusterip:80           | timeout           | the second cell: the     |
|                               |                                      |                   | servers let everybody    |
|                               |                                      |                   | in, and the debug pod    |
|                               |                                      |                   | may not go out           |
  $ curl --connect-timeout 1 http://my-nginx-clusterip
| prod-nginx/debug              | svc/prod-nginx/my-nginx-clusterip:80 | timeout           | [ours] the same, without |
|                               |                                      |                   | a name                   |
| prod-nginx/debug              | pod/prod-nginx/nginx-deployment-1:80 | timeout           | the third cell: the      |
|                               |                                      |                   | sender is still closed   |
| prod-nginx/debug              | pod/prod-nginx/nginx-deployment-2:80 | timeout           | the third cell: the      |
|                               |                                      |                   | sender is still closed   |
| prod-nginx/debug              | pod/prod-nginx/nginx-deployment-3:80 | timeout           | the third cell: the      |
|                               |                                      |                   | sender is still closed   |
| prod-nginx/nginx-deployment-1 | pod/prod-nginx/nginx-deployment-2:80 | timeout           | the existing egress      |
|                               |                                      |                   | rules still apply: a     |
|                               |                                      |                   | server's own egress is   |
|                               |                                      |                   | as closed as before      |
| prod-nginx/nginx-deployment-1 | net/cloudyuga.guru:80                | timeout           | to the outside as well   |
| prod-nginx/nginx-deployment-1 | dns/A/kube-dns.kube-system           | resolved          | and what egress allowed  |
|                               | .svc.cluster.local                   |                   | before, it still allows  |
| prod-nginx/debug              | fact/policies                        | shows allow-dns   | without policyTypes,     |
|                               |                                      | (Egress);         | ingress rules alone make |
|                               |                                      | allow-http        | a policy for ingress     |
|                               |                                      | (Ingress);        |                          |
|                               |                                      | default-deny      |                          |
|                               |                                      | (Ingress, Egress) |                          |

step alone: 01-workloads, 04-allow-http

| from                          | to                      | tutorial says | really    | why                            |
|-------------------------------|-------------------------|---------------|-----------|--------------------------------|
| prod-nginx/nginx-deployment-1 | net/cloudyuga.guru:80   | timeout       | connected | [per-direction, default-deny]  |
|                               |                         |               |           | a selected pod gets only what  |
|                               |                         |               |           | rules allow, and no rule       |
|                               |                         |               |           | allows egress                  |
| prod-nginx/nginx-deployment-1 | pod/prod-nginx/debug:80 | timeout       | connected | [per-direction, default-deny]  |
|                               |                         |               |           | the same within the namespace  |
| prod-nginx/debug              | pod/prod-nginx          | connected     |           | with this policy alone nothing |
|                               | /nginx-deployment-1:80  |               |           | holds the debug pod back, and  |
|                               |                         |               |           | the rule lets it in            |
| prod-nginx/nginx-deployment-1 | pod/prod-nginx          | connected     |           | the rule lets in all pods of   |
|                               | /nginx-deployment-2:80  |               |           | the namespace, the servers     |
|                               |                         |               |           | among them                     |
| prod-nginx/debug              | svc/prod-nginx          | connected     |           | [ours] through the Service as  |
|                               | /my-nginx-clusterip:80  |               |           | well: policies look at the pod |
|                               |                         |               |           | behind it                      |
""",
    source="netpol-by-example#allow-http",
    errata=[
        Erratum(
            id="per-direction",
            wrong="once a pod is selected by a policy, only the traffic that rules allow passes, in and out",
            why="a pod is isolated for ingress and for egress one by one, by the policyTypes of the "
            "policies that select it; without policyTypes, a policy with ingress rules only is one for "
            "ingress",
            corrected="only the directions in policyTypes are closed: 07-allow-http says which one it means",
        ),
    ],
)


@OUTCOMES.each_row
def test_allow_http(row, observed):
    assert observed == row.outcome, row.why
