"""Phase 2: deny everything in `prod-nginx`.

The policy selects every pod of its namespace, names both directions and has no rule. An empty list of rules
allows nothing. DNS is traffic too: that is why the service name fails here, not because of the server.

Look at how a name fails: `dig` gets no answer, and curl never gets to connect. Without the second step,
asking the address itself, one would not know whether the servers are closed as well.
"""

from harness.lab import Erratum, documented

OUTCOMES = documented(
    """
step deny: 01-workloads, 02-default-deny

| from                          | to                      | tutorial says      | really      | why                    |
|-------------------------------|-------------------------|--------------------|-------------|------------------------|
| prod-nginx/debug              | lookup                  | dns_timeout        |             | the first cell of the  |
|                               | /my-nginx-clusterip     |                    |             | table: DNS resolution  |
|                               |                         |                    |             | failed                 |
  $ dig +search +time=1 +tries=1 my-nginx-clusterip
| prod-nginx/debug              | name                    | dns_timeout        |             | the second cell; it    |
|                               | /my-nginx-clusterip:80  |                    |             | fails because the name |
|                               |                         |                    |             | does not resolve,      |
|                               |                         |                    |             | before any packet goes |
|                               |                         |                    |             | to a server            |
  $ curl --connect-timeout 1 http://my-nginx-clusterip
| prod-nginx/debug              | svc/prod-nginx          | timeout            |             | [ours] by its address  |
|                               | /my-nginx-clusterip:80  |                    |             | the Service is out of  |
|                               |                         |                    |             | reach as well          |
| prod-nginx/debug              | pod/prod-nginx          | timeout            |             | the third cell: access |
|                               | /nginx-deployment-1:80  |                    |             | to the pod IP failed   |
| prod-nginx/debug              | pod/prod-nginx          | timeout            |             | the third cell: access |
|                               | /nginx-deployment-2:80  |                    |             | to the pod IP failed   |
| prod-nginx/debug              | pod/prod-nginx          | timeout            |             | the third cell: access |
|                               | /nginx-deployment-3:80  |                    |             | to the pod IP failed   |
| prod-nginx/debug              | name/cloudyuga.guru:80  | dns_timeout        |             | no name, no connection |
  $ curl --connect-timeout 1 http://cloudyuga.guru
| prod-nginx/debug              | net/cloudyuga.guru:80   | timeout            |             | not by address either  |
| prod-nginx/debug              | svc/kube-system         | timeout            |             | all traffic: not only  |
|                               | /kube-dns:9153          |                    |             | what the procedure     |
|                               |                         |                    |             | tries                  |
| prod-nginx/nginx-deployment-1 | pod/prod-nginx          | timeout            |             | an empty matchLabels   |
|                               | /nginx-deployment-2:80  |                    |             | selects every pod, so  |
|                               |                         |                    |             | the servers are        |
|                               |                         |                    |             | isolated too           |
| prod-nginx/nginx-deployment-2 | pod/prod-nginx          | timeout            |             | from each of them      |
|                               | /nginx-deployment-3:80  |                    |             |                        |
| prod-nginx/nginx-deployment-3 | pod/prod-nginx          | timeout            |             | to each of them        |
|                               | /nginx-deployment-1:80  |                    |             |                        |
| prod-nginx/nginx-deployment-1 | pod/prod-nginx/debug:80 | timeout            |             | and nobody gets into   |
|                               |                         |                    |             | the debug pod          |
| prod-nginx/nginx-deployment-1 | net/cloudyuga.guru:80   | timeout            |             | nor out of a server    |
| prod-nginx/nginx-deployment-1 | dns/A/kube-dns          | dns_timeout        |             | the servers cannot     |
|                               | .kube-system            |                    |             | resolve names either   |
|                               | .svc.cluster.local      |                    |             |                        |
| prod-nginx/debug              | fact/policies           | shows default-deny |             | what kubectl get       |
|                               |                         | (Ingress, Egress)  |             | netpol lists: that the |
|                               |                         |                    |             | API server has it, not |
|                               |                         |                    |             | that it is in force    |
| prod-nginx/debug              | fact/unrestarted        | shows pods older   |             | [connectivity]         |
|                               |                         | than the policies, |             | policies act on        |
|                               |                         | 0 restarts         |             | running pods: nobody   |
|                               |                         |                    |             | restarted one          |
| prod-nginx/debug              | fact/takes-effect       | shows no           | shows       | [immediately,          |
|                               |                         | connection made    | connections | connectivity] applied  |
|                               |                         | later              | made later  | immediately, the text  |
|                               |                         |                    |             | says                   |
""",
    source="netpol-by-example#default-deny",
    errata=[
        Erratum(
            id="immediately",
            wrong="policies are applied immediately",
            why="the API server stores a policy and answers; the agents on the nodes learn of it afterwards "
            "and program it, and until then new connections pass",
            corrected="soon, not at once: wait until a flow that the policy changes shows it, as every step "
            "here does (settled_ms in the results)",
        ),
    ],
)


@OUTCOMES.each_row
def test_default_deny(row, observed):
    assert observed == row.outcome, row.why
