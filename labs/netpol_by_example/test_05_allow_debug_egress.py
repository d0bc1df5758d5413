"""Phase 5: let the debug pod out.

Now both ends are open, and only for this sender: the policy selects the label that `kubectl run
debug` gave its pod. The servers themselves still reach nothing.

The policy has no policyTypes. Then Ingress always counts as named, and Egress counts if there are
egress rules: this policy isolates the debug pod in both directions. Here default-deny hides that.
Apply the policy alone, and it shows.
"""

from harness.lab import documented

OUTCOMES = documented(
    """
step egress: 01-workloads, 02-default-deny, 03-allow-dns, 04-allow-http, 05-allow-debug-egress

| from             | to                                   | tutorial says | why                                        |
|------------------|--------------------------------------|---------------|--------------------------------------------|
| prod-nginx/debug | lookup/my-nginx-clusterip            | resolved      | the first cell: DNS resolution works       |
  $ dig +search +time=1 +tries=1 my-nginx-clusterip
| prod-nginx/debug | name/my-nginx-clusterip:80           | connected     | the second cell: both ends are open now    |
  $ curl --connect-timeout 1 http://my-nginx-clusterip
| prod-nginx/debug | svc/prod-nginx/my-nginx-clusterip:80 | connected     | [ours] the Service is open by its address  |
|                  |                                      |               | too                                        |
| prod-nginx/debug | pod/prod-nginx/nginx-deployment-1:80 | connected     | the third cell: access to the pod IP works |
| prod-nginx/debug | pod/prod-nginx/nginx-deployment-2:80 | connected     | the third cell: access to the pod IP works |
| prod-nginx/debug | pod/prod-nginx/nginx-deployment-3:80 | connected     | the third cell: access to the pod IP works |
| prod-nginx/debug | name/cloudyuga.guru:80               | timeout       | other destinations are not allowed: the    |
|                  |                                      |               | name resolves, but the connection fails    |
  $ curl --connect-timeout 1 http://cloudyuga.guru

| from                          | to                                   | tutorial says | why                          |
|-------------------------------|--------------------------------------|---------------|------------------------------|
| prod-nginx/debug              | net/cloudyuga.guru:80                | timeout       | the site is out of reach by  |
|                               |                                      |               | its address too              |
| prod-nginx/nginx-deployment-1 | pod/prod-nginx/nginx-deployment-2:80 | timeout       | the rule is for pods with    |
|                               |                                      |               | run=debug, and a server does |
|                               |                                      |               | not have this label          |
| prod-nginx/nginx-deployment-1 | net/cloudyuga.guru:80                | timeout       | a server may not leave the   |
|                               |                                      |               | cluster either               |

| from             | to                            | tutorial says                   | why                             |
|------------------|-------------------------------|---------------------------------|---------------------------------|
| prod-nginx/debug | svc/kube-system/kube-dns:9153 | connected                       | [ours] one other destination is |
|                  |                               |                                 | open: CoreDNS's metrics, by the |
|                  |                               |                                 | rule that lists no port         |
| prod-nginx/debug | fact/policies                 | shows allow-debug-egress        | [ours] without policyTypes,     |
|                  |                               | (Ingress, Egress); allow-dns    | Ingress is always included: it  |
|                  |                               | (Egress); allow-http (Ingress); | is a policy for both directions |
|                  |                               | default-deny (Ingress, Egress)  |                                 |

step alone: 01-workloads, 05-allow-debug-egress

| from                          | to                                   | tutorial says | why                           |
|-------------------------------|--------------------------------------|---------------|-------------------------------|
| prod-nginx/nginx-deployment-1 | pod/prod-nginx/debug:80              | timeout       | [ours] applied alone, the     |
|                               |                                      |               | egress policy also closes the |
|                               |                                      |               | ingress of the debug pod      |
| prod-nginx/debug              | pod/prod-nginx/nginx-deployment-1:80 | connected     | [ours] the rule allows this   |
|                               |                                      |               | egress                        |
| prod-nginx/debug              | lookup/my-nginx-clusterip            | dns_timeout   | [ours] the rule allows        |
|                               |                                      |               | nothing else: without         |
|                               |                                      |               | allow-dns no name resolves    |
| prod-nginx/nginx-deployment-1 | net/cloudyuga.guru:80                | connected     | [ours] no policy selects the  |
|                               |                                      |               | servers, so nothing holds     |
|                               |                                      |               | them back                     |
""",
    source="netpol-by-example#allow-debug-egress",
)


@OUTCOMES.each_row
def test_allow_debug_egress(row, observed):
    assert observed == row.outcome, row.why
