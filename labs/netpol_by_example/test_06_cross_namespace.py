"""Phase 6: let in one kind of pod from another namespace.

Two selectors in one entry of `from` mean both at once: pods with this label, in namespaces with
that label. A pod that has only one of the two stays outside. The tutorial tries the pod that has
both; the pod that has one is our addition.
"""

from harness.lab import documented

OUTCOMES = documented(
    """
step before: 01-workloads, 02-default-deny, 03-allow-dns, 04-allow-http, 05-allow-debug-egress, 06-other-namespace

| from                | to                                    | tutorial says | why                                    |
|---------------------|---------------------------------------|---------------|----------------------------------------|
| myhackns/othernspod | name/my-nginx-clusterip.prod-nginx:80 | timeout       | [allow-http] allow-http lets in the    |
|                     |                                       |               | pods of its own namespace only         |
  $ curl --connect-timeout 1 my-nginx-clusterip.prod-nginx
| myhackns/othernspod | pod/prod-nginx/nginx-deployment-1:80  | timeout       | [allow-http] an empty podSelector in a |
|                     |                                       |               | rule means the policy's own namespace, |
|                     |                                       |               | not the cluster                        |

step across: 01-workloads, 02-default-deny, 03-allow-dns, 04-allow-http, 05-allow-debug-egress, 06-other-namespace,
    06-allow-http-other-ns

| from                | to                                    | tutorial says | why                                    |
|---------------------|---------------------------------------|---------------|----------------------------------------|
| myhackns/othernspod | name/my-nginx-clusterip.prod-nginx:80 | connected     | the namespace has the label, and the   |
|                     |                                       |               | pod has the label                      |
  $ curl --connect-timeout 1 my-nginx-clusterip.prod-nginx
| myhackns/othernspod | pod/prod-nginx/nginx-deployment-1:80  | connected     | [ours] each of the servers lets the    |
|                     |                                       |               | pod in                                 |
| myhackns/othernspod | pod/prod-nginx/nginx-deployment-2:80  | connected     | [ours] each of the servers lets the    |
|                     |                                       |               | pod in                                 |
| myhackns/othernspod | pod/prod-nginx/nginx-deployment-3:80  | connected     | [ours] each of the servers lets the    |
|                     |                                       |               | pod in                                 |
| myhackns/othernspod | name/cloudyuga.guru:80                | connected     | default-deny acts in its own namespace |
|                     |                                       |               | only; no policy selects this pod       |
  $ curl --connect-timeout 1 http://cloudyuga.guru
| myhackns/othernspod | lookup/my-nginx-clusterip             | dns_nxdomain  | [ours] the short name belongs to       |
|                     |                                       |               | prod-nginx, not to this namespace      |
  $ dig +search +time=1 +tries=1 my-nginx-clusterip
| myhackns/stranger   | name/my-nginx-clusterip.prod-nginx:80 | timeout       | [ours] the namespace has the label,    |
|                     |                                       |               | but the pod does not: both must match  |
  $ curl --connect-timeout 1 my-nginx-clusterip.prod-nginx
| myhackns/stranger   | pod/prod-nginx/nginx-deployment-1:80  | timeout       | [ours] the same is true by address     |
| myhackns/othernspod | pod/prod-nginx/debug:80               | timeout       | [ours] the policy lets the pod in to   |
|                     |                                       |               | the servers, not to the debug pod      |
| prod-nginx/debug    | pod/myhackns/stranger:80              | timeout       | [allow-debug-egress] other             |
|                     |                                       |               | destinations are not allowed for the   |
|                     |                                       |               | debug pod, other namespaces included   |
| prod-nginx/debug    | name/my-nginx-clusterip:80            | connected     | [ours] what was allowed before is      |
|                     |                                       |               | still allowed: policies only add up    |
  $ curl --connect-timeout 1 http://my-nginx-clusterip
""",
    source="netpol-by-example#cross-namespace",
)


@OUTCOMES.each_row
def test_cross_namespace(row, observed):
    assert observed == row.outcome, row.why
