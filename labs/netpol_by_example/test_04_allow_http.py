"""Phase 4: let the pods of the namespace reach the web servers.

A connection passes two ends: the sender's egress and the receiver's ingress. This policy opens the
receiver's end. Nothing in the tutorial's table of results changes, because the sender's end is
still closed.

A policy acts only in the directions that its policyTypes name. Apply this policy alone, and the
servers that it selects may still connect to anything.
"""

from harness.lab import Erratum, documented

OUTCOMES = documented(
    """
step http: 01-workloads, 02-default-deny, 03-allow-dns, 04-allow-http

| from                          | to                                   | tutorial says | why                           |
|-------------------------------|--------------------------------------|---------------|-------------------------------|
| prod-nginx/debug              | lookup/my-nginx-clusterip            | resolved      | the first cell: DNS           |
|                               |                                      |               | resolution works              |
  $ dig +search +time=1 +tries=1 my-nginx-clusterip
| prod-nginx/debug              | name/my-nginx-clusterip:80           | timeout       | the second cell: the servers  |
|                               |                                      |               | let the debug pod in, but it  |
|                               |                                      |               | may not go out                |
  $ curl --connect-timeout 1 http://my-nginx-clusterip
| prod-nginx/debug              | svc/prod-nginx/my-nginx-clusterip:80 | timeout       | [ours] the connection fails   |
|                               |                                      |               | without a name too            |
| prod-nginx/debug              | pod/prod-nginx/nginx-deployment-1:80 | timeout       | the third cell: the sender's  |
|                               |                                      |               | end is still closed           |
| prod-nginx/debug              | pod/prod-nginx/nginx-deployment-2:80 | timeout       | the third cell: the sender's  |
|                               |                                      |               | end is still closed           |
| prod-nginx/debug              | pod/prod-nginx/nginx-deployment-3:80 | timeout       | the third cell: the sender's  |
|                               |                                      |               | end is still closed           |
| prod-nginx/nginx-deployment-1 | pod/prod-nginx/nginx-deployment-2:80 | timeout       | the existing egress rules     |
|                               |                                      |               | still apply: a server's own   |
|                               |                                      |               | egress is as closed as before |
| prod-nginx/nginx-deployment-1 | net/cloudyuga.guru:80                | timeout       | the way to the outside is     |
|                               |                                      |               | closed too                    |
| prod-nginx/nginx-deployment-1 | dns/A/kube-dns.kube-system           | resolved      | the egress that was allowed   |
|                               | .svc.cluster.local                   |               | before is still allowed       |

| from             | to            | tutorial says                  | why                                              |
|------------------|---------------|--------------------------------|--------------------------------------------------|
| prod-nginx/debug | fact/policies | shows allow-dns (Egress);      | without policyTypes, a policy with ingress rules |
|                  |               | allow-http (Ingress);          | only is a policy for ingress                     |
|                  |               | default-deny (Ingress, Egress) |                                                  |

step alone: 01-workloads, 04-allow-http

| from                          | to                      | tutorial says | really    | why                            |
|-------------------------------|-------------------------|---------------|-----------|--------------------------------|
| prod-nginx/nginx-deployment-1 | net/cloudyuga.guru:80   | timeout       | connected | [per-direction, default-deny]  |
|                               |                         |               |           | a selected pod gets only the   |
|                               |                         |               |           | traffic that rules allow, says |
|                               |                         |               |           | the tutorial                   |
| prod-nginx/nginx-deployment-1 | pod/prod-nginx/debug:80 | timeout       | connected | [per-direction, default-deny]  |
|                               |                         |               |           | the same claim, for a flow     |
|                               |                         |               |           | within the namespace           |

| from                          | to                                   | tutorial says | why                           |
|-------------------------------|--------------------------------------|---------------|-------------------------------|
| prod-nginx/debug              | pod/prod-nginx/nginx-deployment-1:80 | connected     | nothing holds the debug pod   |
|                               |                                      |               | back with this policy alone,  |
|                               |                                      |               | and the rule lets it in       |
| prod-nginx/nginx-deployment-1 | pod/prod-nginx/nginx-deployment-2:80 | connected     | the rule lets in all pods of  |
|                               |                                      |               | the namespace, the servers    |
|                               |                                      |               | too                           |
| prod-nginx/debug              | svc/prod-nginx/my-nginx-clusterip:80 | connected     | [ours] the path through the   |
|                               |                                      |               | Service is open too: policies |
|                               |                                      |               | look at the pod behind it     |
""",
    source="netpol-by-example#allow-http",
    errata=[
        Erratum(
            id="per-direction",
            wrong="once a policy selects a pod, only the traffic that rules allow passes, in and out",
            why="a pod is isolated for ingress and for egress separately, by the policyTypes of the "
            "policies that select it. Without policyTypes, a policy with ingress rules only is a policy "
            "for ingress",
            corrected="only the directions in policyTypes are closed: 07-allow-http says which direction it "
            "means",
        ),
    ],
)


@OUTCOMES.each_row
def test_allow_http(row, observed):
    assert observed == row.outcome, row.why
