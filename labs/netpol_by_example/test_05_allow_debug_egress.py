"""Phase 5: let the debug pod out.

Now both doors are open, and only for this sender: the policy selects the label that `kubectl run debug` gave
its pod. The servers themselves still go nowhere.

It has no policyTypes. Then Ingress is always meant, and Egress if there are egress rules: this policy isolates
the debug pod for both. Here default-deny hides that; applied alone, it shows.
"""

from harness.lab import documented

OUTCOMES = documented(
    """
step egress: 01-workloads, 02-default-deny, 03-allow-dns, 04-allow-http, 05-allow-debug-egress

| from                          | to                                   | tutorial says      | why                      |
|-------------------------------|--------------------------------------|--------------------|--------------------------|
| prod-nginx/debug              | lookup/my-nginx-clusterip            | resolved           | the first cell           |
  $ dig +search +time=1 +tries=1 my-nginx-clusterip
| prod-nginx/debug              | name/my-nginx-clusterip:80           | connected          | the second cell: both    |
|                               |                                      |                    | doors are open now       |
  $ curl --connect-timeout 1 http://my-nginx-clusterip
| prod-nginx/debug              | svc/prod-nginx/my-nginx-clusterip:80 | connected          | [ours] by the address of |
|                               |                                      |                    | the Service              |
| prod-nginx/debug              | pod/prod-nginx/nginx-deployment-1:80 | connected          | the third cell           |
| prod-nginx/debug              | pod/prod-nginx/nginx-deployment-2:80 | connected          | the third cell           |
| prod-nginx/debug              | pod/prod-nginx/nginx-deployment-3:80 | connected          | the third cell           |
| prod-nginx/debug              | name/cloudyuga.guru:80               | timeout            | other destinations are   |
|                               |                                      |                    | not allowed: the name    |
|                               |                                      |                    | resolves, the connection |
|                               |                                      |                    | does not come about      |
  $ curl --connect-timeout 1 http://cloudyuga.guru
| prod-nginx/debug              | net/cloudyuga.guru:80                | timeout            | not by address either    |
| prod-nginx/nginx-deployment-1 | pod/prod-nginx/nginx-deployment-2:80 | timeout            | the rule is for pods     |
|                               |                                      |                    | with run=debug, and a    |
|                               |                                      |                    | server is none           |
| prod-nginx/nginx-deployment-1 | net/cloudyuga.guru:80                | timeout            | nor may a server leave   |
| prod-nginx/debug              | svc/kube-system/kube-dns:9153        | connected          | [ours] one other         |
|                               |                                      |                    | destination is:          |
|                               |                                      |                    | CoreDNS's metrics, by    |
|                               |                                      |                    | the rule without a port  |
| prod-nginx/debug              | fact/policies                        | shows              | [ours] without           |
|                               |                                      | allow-debug-egress | policyTypes, Ingress is  |
|                               |                                      | (Ingress, Egress); | always one of them: it   |
|                               |                                      | allow-dns          | is a policy for both     |
|                               |                                      | (Egress);          | directions               |
|                               |                                      | allow-http         |                          |
|                               |                                      | (Ingress);         |                          |
|                               |                                      | default-deny       |                          |
|                               |                                      | (Ingress, Egress)  |                          |

step alone: 01-workloads, 05-allow-debug-egress

| from                          | to                                   | tutorial says | why                           |
|-------------------------------|--------------------------------------|---------------|-------------------------------|
| prod-nginx/nginx-deployment-1 | pod/prod-nginx/debug:80              | timeout       | [ours] applied alone, the     |
|                               |                                      |               | egress policy closes the      |
|                               |                                      |               | ingress of the debug pod as   |
|                               |                                      |               | well                          |
| prod-nginx/debug              | pod/prod-nginx/nginx-deployment-1:80 | connected     | [ours] its egress is what the |
|                               |                                      |               | rule says                     |
| prod-nginx/debug              | lookup/my-nginx-clusterip            | dns_timeout   | [ours] and no more: without   |
|                               |                                      |               | allow-dns it has no names     |
| prod-nginx/nginx-deployment-1 | net/cloudyuga.guru:80                | connected     | [ours] the servers are not    |
|                               |                                      |               | selected, so nothing holds    |
|                               |                                      |               | them                          |
""",
    source="netpol-by-example#allow-debug-egress",
)


@OUTCOMES.each_row
def test_allow_debug_egress(row, observed):
    assert observed == row.outcome, row.why
