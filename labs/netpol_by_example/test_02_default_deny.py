"""Phase 2: deny everything in `prod-nginx`.

The policy selects every pod of its namespace, names both directions, and has no rule. An empty list
of rules allows nothing. DNS is traffic too: the access to the service name fails here because of
DNS, not because of the server.

Look at how a name fails: `dig` gets no answer, and curl never connects. To know whether the servers
are closed too, ask for their addresses.
"""

from harness.lab import Erratum, documented

OUTCOMES = documented(
    """
step deny: 01-workloads, 02-default-deny

| from                          | to                                   | tutorial says | why                           |
|-------------------------------|--------------------------------------|---------------|-------------------------------|
| prod-nginx/debug              | lookup/my-nginx-clusterip            | dns_timeout   | the first cell of the         |
|                               |                                      |               | tutorial's table: DNS         |
|                               |                                      |               | resolution failed             |
  $ dig +search +time=1 +tries=1 my-nginx-clusterip
| prod-nginx/debug              | name/my-nginx-clusterip:80           | dns_timeout   | the second cell: the name     |
|                               |                                      |               | does not resolve, so no       |
|                               |                                      |               | packet goes to a server       |
  $ curl --connect-timeout 1 http://my-nginx-clusterip
| prod-nginx/debug              | svc/prod-nginx/my-nginx-clusterip:80 | timeout       | [ours] the Service is out of  |
|                               |                                      |               | reach by its address too      |
| prod-nginx/debug              | pod/prod-nginx/nginx-deployment-1:80 | timeout       | the third cell: access to the |
|                               |                                      |               | pod IP failed                 |
| prod-nginx/debug              | pod/prod-nginx/nginx-deployment-2:80 | timeout       | the third cell: access to the |
|                               |                                      |               | pod IP failed                 |
| prod-nginx/debug              | pod/prod-nginx/nginx-deployment-3:80 | timeout       | the third cell: access to the |
|                               |                                      |               | pod IP failed                 |
| prod-nginx/debug              | name/cloudyuga.guru:80               | dns_timeout   | the name does not resolve, so |
|                               |                                      |               | there is no connection        |
  $ curl --connect-timeout 1 http://cloudyuga.guru
| prod-nginx/debug              | net/cloudyuga.guru:80                | timeout       | the site is out of reach by   |
|                               |                                      |               | its address too               |
| prod-nginx/debug              | svc/kube-system/kube-dns:9153        | timeout       | all traffic is closed, not    |
|                               |                                      |               | only the flows that the       |
|                               |                                      |               | tutorial tries                |
| prod-nginx/nginx-deployment-1 | pod/prod-nginx/nginx-deployment-2:80 | timeout       | an empty matchLabels selects  |
|                               |                                      |               | every pod, so the servers are |
|                               |                                      |               | isolated too                  |
| prod-nginx/nginx-deployment-2 | pod/prod-nginx/nginx-deployment-3:80 | timeout       | every server is isolated as a |
|                               |                                      |               | sender                        |
| prod-nginx/nginx-deployment-3 | pod/prod-nginx/nginx-deployment-1:80 | timeout       | every server is isolated as a |
|                               |                                      |               | receiver                      |
| prod-nginx/nginx-deployment-1 | pod/prod-nginx/debug:80              | timeout       | nobody gets into the debug    |
|                               |                                      |               | pod                           |
| prod-nginx/nginx-deployment-1 | net/cloudyuga.guru:80                | timeout       | no server reaches the outside |
| prod-nginx/nginx-deployment-1 | dns/A/kube-dns.kube-system           | dns_timeout   | the servers cannot resolve    |
|                               | .svc.cluster.local                   |               | names either                  |

| from             | to                | tutorial says      | really      | why                                      |
|------------------|-------------------|--------------------|-------------|------------------------------------------|
| prod-nginx/debug | fact/policies     | shows default-deny |             | kubectl get netpol lists this: the API   |
|                  |                   | (Ingress, Egress)  |             | server has the policy, which may not be  |
|                  |                   |                    |             | in force yet                             |
| prod-nginx/debug | fact/unrestarted  | shows pods older   |             | [connectivity] policies act on running   |
|                  |                   | than the policies, |             | pods: nobody restarted a pod             |
|                  |                   | 0 restarts         |             |                                          |
| prod-nginx/debug | fact/takes-effect | shows no           | shows       | [immediately, connectivity] the tutorial |
|                  |                   | connection made    | connections | says that policies are applied           |
|                  |                   | later              | made later  | immediately                              |
""",
    source="netpol-by-example#default-deny",
    errata=[
        Erratum(
            id="immediately",
            wrong="policies are applied immediately",
            why="the API server stores a policy and answers. The agents on the nodes learn of the policy "
            "afterwards and program it, and until then new connections pass",
            corrected="policies are applied soon, not at once: wait until a flow that the policy changes "
            "shows the change, as every step here does (settled_ms in the results)",
        ),
    ],
)


@OUTCOMES.each_row
def test_default_deny(row, observed):
    assert observed == row.outcome, row.why
