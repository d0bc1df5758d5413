"""Phase 7: the same results, and nothing more.

The name server is open on port 53 only, over UDP and TCP. Every policy states its policyTypes, so
each policy acts in the direction that its name says, whichever other policies are in force. The
debug pod reaches the web servers on their port, not the whole namespace.
"""

from harness.lab import documented

OUTCOMES = documented(
    """
step corrected: 01-workloads, 02-default-deny, 07-allow-dns, 07-allow-http, 07-allow-debug-egress, 06-other-namespace,
    06-allow-http-other-ns

| from                          | to                                    | tutorial says | why                        |
|-------------------------------|---------------------------------------|---------------|----------------------------|
| prod-nginx/debug              | lookup/my-nginx-clusterip             | resolved      | DNS resolution works       |
  $ dig +search +time=1 +tries=1 my-nginx-clusterip
| prod-nginx/debug              | name/my-nginx-clusterip:80            | connected     | access to the service name |
|                               |                                       |               | works                      |
  $ curl --connect-timeout 1 http://my-nginx-clusterip
| prod-nginx/debug              | pod/prod-nginx/nginx-deployment-1:80  | connected     | access to the pod IP works |
| prod-nginx/debug              | pod/prod-nginx/nginx-deployment-2:80  | connected     | access to the pod IP works |
| prod-nginx/debug              | pod/prod-nginx/nginx-deployment-3:80  | connected     | access to the pod IP works |
| prod-nginx/debug              | dns/A/kube-dns.kube-system            | resolved      | [ours] long answers come   |
|                               | .svc.cluster.local/tcp                |               | over TCP                   |
| prod-nginx/debug              | svc/kube-system/kube-dns:9153         | timeout       | [ours] the rule is for     |
|                               |                                       |               | names, not for the metrics |
|                               |                                       |               | of the name server         |
| prod-nginx/debug              | name/cloudyuga.guru:80                | timeout       | other destinations are not |
|                               |                                       |               | allowed                    |
  $ curl --connect-timeout 1 http://cloudyuga.guru
| prod-nginx/nginx-deployment-1 | pod/prod-nginx/nginx-deployment-2:80  | timeout       | the servers reach nothing  |
| myhackns/othernspod           | name/my-nginx-clusterip.prod-nginx:80 | connected     | [cross-namespace] the pod  |
|                               |                                       |               | has the label, and so has  |
|                               |                                       |               | its namespace              |
  $ curl --connect-timeout 1 my-nginx-clusterip.prod-nginx
| myhackns/stranger             | pod/prod-nginx/nginx-deployment-1:80  | timeout       | [ours] no other pod of the |
|                               |                                       |               | namespace gets in          |

| from             | to            | tutorial says                                       | why                         |
|------------------|---------------|-----------------------------------------------------|-----------------------------|
| prod-nginx/debug | fact/policies | shows allow-debug-egress (Egress); allow-dns        | [ours] each policy acts in  |
|                  |               | (Egress); allow-http (Ingress); allow-http-other-ns | the direction that its name |
|                  |               | (Ingress); default-deny (Ingress, Egress)           | says                        |

step alone: 01-workloads, 07-allow-debug-egress, 07-allow-http

| from                          | to                                   | tutorial says | why                          |
|-------------------------------|--------------------------------------|---------------|------------------------------|
| prod-nginx/nginx-deployment-1 | pod/prod-nginx/debug:80              | connected     | [ours] an egress policy that |
|                               |                                      |               | says so leaves the ingress   |
|                               |                                      |               | open, even without           |
|                               |                                      |               | default-deny                 |
| prod-nginx/debug              | pod/prod-nginx/nginx-deployment-1:80 | connected     | [ours] the rule allows this  |
|                               |                                      |               | egress                       |
""",
    source="netpol-by-example#allow-debug-egress",
)


@OUTCOMES.each_row
def test_corrected(row, observed):
    assert observed == row.outcome, row.why
