"""Phase 6: let in one kind of pod from another namespace.

Two selectors in one entry of `from` mean both at once: pods with that label in namespaces with that label.
Whoever has only one of the two stays outside. The text tries the pod that fits; the one that does not is ours.
"""

from harness.core.lab.documented import Row
from harness.core.outcome import Reading
from harness.lab import documented

OUTCOMES = documented(
    """
| step   | apply                                                                                                                         | from                | to                                    | outcome      | command                                                | cite               | why                                                                              |
|--------|-------------------------------------------------------------------------------------------------------------------------------|---------------------|---------------------------------------|--------------|--------------------------------------------------------|--------------------|----------------------------------------------------------------------------------|
| before | 01-workloads, 02-default-deny, 03-allow-dns, 04-allow-http, 05-allow-debug-egress, 06-other-namespace                         | myhackns/othernspod | name/my-nginx-clusterip.prod-nginx:80 | timeout      | curl --connect-timeout 1 my-nginx-clusterip.prod-nginx | allow-http         | allow-http lets in the pods of its own namespace only                            |
| before | 01-workloads, 02-default-deny, 03-allow-dns, 04-allow-http, 05-allow-debug-egress, 06-other-namespace                         | myhackns/othernspod | pod/prod-nginx/nginx-deployment-1:80  | timeout      |                                                        | allow-http         | an empty podSelector in a rule means the own namespace, not the cluster          |
| across | 01-workloads, 02-default-deny, 03-allow-dns, 04-allow-http, 05-allow-debug-egress, 06-other-namespace, 06-allow-http-other-ns | myhackns/othernspod | name/my-nginx-clusterip.prod-nginx:80 | connected    | curl --connect-timeout 1 my-nginx-clusterip.prod-nginx | cross-namespace    | the label of the namespace and that of the pod fit                               |
| across | 01-workloads, 02-default-deny, 03-allow-dns, 04-allow-http, 05-allow-debug-egress, 06-other-namespace, 06-allow-http-other-ns | myhackns/othernspod | pod/prod-nginx/nginx-deployment-1:80  | connected    |                                                        | ours               | to each of the servers                                                           |
| across | 01-workloads, 02-default-deny, 03-allow-dns, 04-allow-http, 05-allow-debug-egress, 06-other-namespace, 06-allow-http-other-ns | myhackns/othernspod | pod/prod-nginx/nginx-deployment-2:80  | connected    |                                                        | ours               | to each of the servers                                                           |
| across | 01-workloads, 02-default-deny, 03-allow-dns, 04-allow-http, 05-allow-debug-egress, 06-other-namespace, 06-allow-http-other-ns | myhackns/othernspod | pod/prod-nginx/nginx-deployment-3:80  | connected    |                                                        | ours               | to each of the servers                                                           |
| across | 01-workloads, 02-default-deny, 03-allow-dns, 04-allow-http, 05-allow-debug-egress, 06-other-namespace, 06-allow-http-other-ns | myhackns/othernspod | name/cloudyuga.guru:80                | connected    | curl --connect-timeout 1 http://cloudyuga.guru         | cross-namespace    | default-deny acts in its own namespace only; nothing selects this pod            |
| across | 01-workloads, 02-default-deny, 03-allow-dns, 04-allow-http, 05-allow-debug-egress, 06-other-namespace, 06-allow-http-other-ns | myhackns/othernspod | lookup/my-nginx-clusterip             | dns_nxdomain | dig +search +time=1 +tries=1 my-nginx-clusterip        | ours               | the short name is one of prod-nginx, not of this namespace                       |
| across | 01-workloads, 02-default-deny, 03-allow-dns, 04-allow-http, 05-allow-debug-egress, 06-other-namespace, 06-allow-http-other-ns | myhackns/stranger   | name/my-nginx-clusterip.prod-nginx:80 | timeout      | curl --connect-timeout 1 my-nginx-clusterip.prod-nginx | ours               | the right namespace without the label on the pod: both must fit                  |
| across | 01-workloads, 02-default-deny, 03-allow-dns, 04-allow-http, 05-allow-debug-egress, 06-other-namespace, 06-allow-http-other-ns | myhackns/stranger   | pod/prod-nginx/nginx-deployment-1:80  | timeout      |                                                        | ours               | the same by address                                                              |
| across | 01-workloads, 02-default-deny, 03-allow-dns, 04-allow-http, 05-allow-debug-egress, 06-other-namespace, 06-allow-http-other-ns | myhackns/othernspod | pod/prod-nginx/debug:80               | timeout      |                                                        | ours               | the policy lets it to the servers, not to the debug pod                          |
| across | 01-workloads, 02-default-deny, 03-allow-dns, 04-allow-http, 05-allow-debug-egress, 06-other-namespace, 06-allow-http-other-ns | prod-nginx/debug    | pod/myhackns/stranger:80              | timeout      |                                                        | allow-debug-egress | other destinations are not allowed to the debug pod, other namespaces among them |
| across | 01-workloads, 02-default-deny, 03-allow-dns, 04-allow-http, 05-allow-debug-egress, 06-other-namespace, 06-allow-http-other-ns | prod-nginx/debug    | name/my-nginx-clusterip:80            | connected    | curl --connect-timeout 1 http://my-nginx-clusterip     | ours               | what was allowed before still is: policies only add up                           |
""",
    source="netpol-by-example#cross-namespace",
)


@OUTCOMES.each_row
def test_cross_namespace(row: Row, observed: Reading) -> None:
    assert observed == row.outcome, row.why
