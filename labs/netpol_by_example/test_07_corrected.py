"""Phase 7: the same results, and no more than them.

The name server is open on port 53 only, over UDP and TCP. Every policy states its policyTypes, so that each is
for the direction its name says, whichever others are in force. The debug pod reaches the web servers on their
port, not the whole namespace.
"""

from harness.lab import documented

OUTCOMES = documented(
    """
step corrected: 01-workloads, 02-default-deny, 07-allow-dns, 07-allow-http, 07-allow-debug-egress, 06-other-namespace,
    06-allow-http-other-ns

| from                          | to                                   | tutorial says       | why                     |
|-------------------------------|--------------------------------------|---------------------|-------------------------|
| prod-nginx/debug              | lookup/my-nginx-clusterip            | resolved            | DNS resolution: working |
  $ dig +search +time=1 +tries=1 my-nginx-clusterip
| prod-nginx/debug              | name/my-nginx-clusterip:80           | connected           | access to the service   |
|                               |                                      |                     | name: working           |
  $ curl --connect-timeout 1 http://my-nginx-clusterip
| prod-nginx/debug              | pod/prod-nginx/nginx-deployment-1:80 | connected           | access to the pod IP:   |
|                               |                                      |                     | working                 |
| prod-nginx/debug              | pod/prod-nginx/nginx-deployment-2:80 | connected           | access to the pod IP:   |
|                               |                                      |                     | working                 |
| prod-nginx/debug              | pod/prod-nginx/nginx-deployment-3:80 | connected           | access to the pod IP:   |
|                               |                                      |                     | working                 |
| prod-nginx/debug              | dns/A/kube-dns.kube-system           | resolved            | [ours] long answers     |
|                               | .svc.cluster.local/tcp               |                     | come over TCP           |
| prod-nginx/debug              | svc/kube-system/kube-dns:9153        | timeout             | [ours] names, and not   |
|                               |                                      |                     | the metrics of the name |
|                               |                                      |                     | server                  |
| prod-nginx/debug              | name/cloudyuga.guru:80               | timeout             | other destinations are  |
|                               |                                      |                     | not allowed             |
  $ curl --connect-timeout 1 http://cloudyuga.guru
| prod-nginx/nginx-deployment-1 | pod/prod-nginx/nginx-deployment-2:80 | timeout             | the servers go nowhere  |
| myhackns/othernspod           | name/my-nginx-clusterip              | connected           | [cross-namespace] the   |
|                               | .prod-nginx:80                       |                     | pod with the label,     |
|                               |                                      |                     | from the namespace with |
|                               |                                      |                     | the label               |
  $ curl --connect-timeout 1 my-nginx-clusterip.prod-nginx
| myhackns/stranger             | pod/prod-nginx/nginx-deployment-1:80 | timeout             | [ours] and no other pod |
|                               |                                      |                     | of it                   |
| prod-nginx/debug              | fact/policies                        | shows               | [ours] each policy is   |
|                               |                                      | allow-debug-egress  | for the direction that  |
|                               |                                      | (Egress); allow-dns | its name says           |
|                               |                                      | (Egress);           |                         |
|                               |                                      | allow-http          |                         |
|                               |                                      | (Ingress);          |                         |
|                               |                                      | allow-http-other-ns |                         |
|                               |                                      | (Ingress);          |                         |
|                               |                                      | default-deny        |                         |
|                               |                                      | (Ingress, Egress)   |                         |

step alone: 01-workloads, 07-allow-debug-egress, 07-allow-http

| from                          | to                                   | tutorial says | why                           |
|-------------------------------|--------------------------------------|---------------|-------------------------------|
| prod-nginx/nginx-deployment-1 | pod/prod-nginx/debug:80              | connected     | [ours] an egress policy that  |
|                               |                                      |               | says so leaves the ingress    |
|                               |                                      |               | alone, even without           |
|                               |                                      |               | default-deny                  |
| prod-nginx/debug              | pod/prod-nginx/nginx-deployment-1:80 | connected     | [ours] and its egress is what |
|                               |                                      |               | the rule says                 |
""",
    source="netpol-by-example#allow-debug-egress",
)


@OUTCOMES.each_row
def test_corrected(row, observed):
    assert observed == row.outcome, row.why
