"""Phase 2: deny everything in `prod-nginx`.

The policy selects every pod of its namespace, names both directions and has no rule. An empty list of rules
allows nothing. DNS is traffic too: that is why the service name fails here, not because of the server.

Look at how a name fails: `dig` gets no answer, and curl never gets to connect. Without the second step,
asking the address itself, one would not know whether the servers are closed as well.
"""

from harness.core.lab.documented import Row
from harness.core.outcome import Reading
from harness.lab import Erratum, documented

IMMEDIATELY = Erratum(
    id="immediately",
    wrong="policies are applied immediately",
    why="the API server stores a policy and answers; the agents on the nodes learn of it afterwards and program it, "
    "and until then new connections pass",
    corrected="soon, not at once: wait until a flow that the policy changes shows it, as every step here does "
    "(settled_ms in the results)",
)

OUTCOMES = documented(
    """
| step | apply                         | from                          | to                                           | outcome                                        | actual                       | erratum     | command                                            | cite         | why                                                                                             |
|------|-------------------------------|-------------------------------|----------------------------------------------|------------------------------------------------|------------------------------|-------------|----------------------------------------------------|--------------|-------------------------------------------------------------------------------------------------|
| deny | 01-workloads, 02-default-deny | prod-nginx/debug              | lookup/my-nginx-clusterip                    | dns_timeout                                    |                              |             | dig +search +time=1 +tries=1 my-nginx-clusterip    | default-deny | the first cell of the table: DNS resolution failed                                              |
| deny | 01-workloads, 02-default-deny | prod-nginx/debug              | name/my-nginx-clusterip:80                   | dns_timeout                                    |                              |             | curl --connect-timeout 1 http://my-nginx-clusterip | default-deny | the second cell; it fails because the name does not resolve, before any packet goes to a server |
| deny | 01-workloads, 02-default-deny | prod-nginx/debug              | svc/prod-nginx/my-nginx-clusterip:80         | timeout                                        |                              |             |                                                    | ours         | by its address the Service is out of reach as well                                              |
| deny | 01-workloads, 02-default-deny | prod-nginx/debug              | pod/prod-nginx/nginx-deployment-1:80         | timeout                                        |                              |             |                                                    | default-deny | the third cell: access to the pod IP failed                                                     |
| deny | 01-workloads, 02-default-deny | prod-nginx/debug              | pod/prod-nginx/nginx-deployment-2:80         | timeout                                        |                              |             |                                                    | default-deny | the third cell: access to the pod IP failed                                                     |
| deny | 01-workloads, 02-default-deny | prod-nginx/debug              | pod/prod-nginx/nginx-deployment-3:80         | timeout                                        |                              |             |                                                    | default-deny | the third cell: access to the pod IP failed                                                     |
| deny | 01-workloads, 02-default-deny | prod-nginx/debug              | name/cloudyuga.guru:80                       | dns_timeout                                    |                              |             | curl --connect-timeout 1 http://cloudyuga.guru     | default-deny | no name, no connection                                                                          |
| deny | 01-workloads, 02-default-deny | prod-nginx/debug              | net/cloudyuga.guru:80                        | timeout                                        |                              |             |                                                    | default-deny | not by address either                                                                           |
| deny | 01-workloads, 02-default-deny | prod-nginx/debug              | svc/kube-system/kube-dns:9153                | timeout                                        |                              |             |                                                    | default-deny | all traffic: not only what the procedure tries                                                  |
| deny | 01-workloads, 02-default-deny | prod-nginx/nginx-deployment-1 | pod/prod-nginx/nginx-deployment-2:80         | timeout                                        |                              |             |                                                    | default-deny | an empty matchLabels selects every pod, so the servers are isolated too                         |
| deny | 01-workloads, 02-default-deny | prod-nginx/nginx-deployment-2 | pod/prod-nginx/nginx-deployment-3:80         | timeout                                        |                              |             |                                                    | default-deny | from each of them                                                                               |
| deny | 01-workloads, 02-default-deny | prod-nginx/nginx-deployment-3 | pod/prod-nginx/nginx-deployment-1:80         | timeout                                        |                              |             |                                                    | default-deny | to each of them                                                                                 |
| deny | 01-workloads, 02-default-deny | prod-nginx/nginx-deployment-1 | pod/prod-nginx/debug:80                      | timeout                                        |                              |             |                                                    | default-deny | and nobody gets into the debug pod                                                              |
| deny | 01-workloads, 02-default-deny | prod-nginx/nginx-deployment-1 | net/cloudyuga.guru:80                        | timeout                                        |                              |             |                                                    | default-deny | nor out of a server                                                                             |
| deny | 01-workloads, 02-default-deny | prod-nginx/nginx-deployment-1 | dns/A/kube-dns.kube-system.svc.cluster.local | dns_timeout                                    |                              |             |                                                    | default-deny | the servers cannot resolve names either                                                         |
| deny | 01-workloads, 02-default-deny | prod-nginx/debug              | fact/policies                                | shows default-deny (Ingress, Egress)           |                              |             |                                                    | default-deny | what kubectl get netpol lists: that the API server has it, not that it is in force              |
| deny | 01-workloads, 02-default-deny | prod-nginx/debug              | fact/unrestarted                             | shows pods older than the policies, 0 restarts |                              |             |                                                    | connectivity | policies act on running pods: nobody restarted one                                              |
| deny | 01-workloads, 02-default-deny | prod-nginx/debug              | fact/takes-effect                            | shows no connection made later                 | shows connections made later | immediately |                                                    | connectivity | applied immediately, the text says                                                              |
""",
    source="netpol-by-example#default-deny",
    errata=[IMMEDIATELY],
)


@OUTCOMES.each_row
def test_default_deny(row: Row, observed: Reading) -> None:
    assert observed == row.outcome, row.why
