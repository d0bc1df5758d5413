"""Phase 6: let in one kind of pod from another namespace.

Two selectors in one entry of `from` mean both at once: pods with that label in namespaces with that label.
Whoever has only one of the two stays outside. The text tries the pod that fits; the one that does not is ours.
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
|                     |                                       |               | rule means the own namespace, not the  |
|                     |                                       |               | cluster                                |

step across: 01-workloads, 02-default-deny, 03-allow-dns, 04-allow-http, 05-allow-debug-egress, 06-other-namespace,
    06-allow-http-other-ns

| from                | to                                    | tutorial says | why                                    |
|---------------------|---------------------------------------|---------------|----------------------------------------|
| myhackns/othernspod | name/my-nginx-clusterip.prod-nginx:80 | connected     | the label of the namespace and that of |
|                     |                                       |               | the pod fit                            |
  $ curl --connect-timeout 1 my-nginx-clusterip.prod-nginx
| myhackns/othernspod | pod/prod-nginx/nginx-deployment-1:80  | connected     | [ours] to each of the servers          |
| myhackns/othernspod | pod/prod-nginx/nginx-deployment-2:80  | connected     | [ours] to each of the servers          |
| myhackns/othernspod | pod/prod-nginx/nginx-deployment-3:80  | connected     | [ours] to each of the servers          |
| myhackns/othernspod | name/cloudyuga.guru:80                | connected     | default-deny acts in its own namespace |
|                     |                                       |               | only; nothing selects this pod         |
  $ curl --connect-timeout 1 http://cloudyuga.guru
| myhackns/othernspod | lookup/my-nginx-clusterip             | dns_nxdomain  | [ours] the short name is one of        |
|                     |                                       |               | prod-nginx, not of this namespace      |
  $ dig +search +time=1 +tries=1 my-nginx-clusterip
| myhackns/stranger   | name/my-nginx-clusterip.prod-nginx:80 | timeout       | [ours] the right namespace without the |
|                     |                                       |               | label on the pod: both must fit        |
  $ curl --connect-timeout 1 my-nginx-clusterip.prod-nginx
| myhackns/stranger   | pod/prod-nginx/nginx-deployment-1:80  | timeout       | [ours] the same by address             |
| myhackns/othernspod | pod/prod-nginx/debug:80               | timeout       | [ours] the policy lets it to the       |
|                     |                                       |               | servers, not to the debug pod          |
| prod-nginx/debug    | pod/myhackns/stranger:80              | timeout       | [allow-debug-egress] other             |
|                     |                                       |               | destinations are not allowed to the    |
|                     |                                       |               | debug pod, other namespaces among them |
| prod-nginx/debug    | name/my-nginx-clusterip:80            | connected     | [ours] what was allowed before still   |
|                     |                                       |               | is: policies only add up               |
  $ curl --connect-timeout 1 http://my-nginx-clusterip
""",
    source="netpol-by-example#cross-namespace",
)


@OUTCOMES.each_row
def test_cross_namespace(row, observed):
    assert observed == row.outcome, row.why
