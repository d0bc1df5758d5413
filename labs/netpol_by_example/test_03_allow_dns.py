"""Phase 3: give the pods their name server back.

Policies add up: `default-deny` stays as it is, and `allow-dns` allows one more thing. It names a
namespace and the pods in it, and no port. So it allows more than its name says: every port of
CoreDNS.
"""

from harness.lab import documented

OUTCOMES = documented(
    """
step dns: 01-workloads, 02-default-deny, 03-allow-dns

| from                          | to                                   | tutorial says | why                           |
|-------------------------------|--------------------------------------|---------------|-------------------------------|
| prod-nginx/debug              | lookup/my-nginx-clusterip            | resolved      | the first cell: DNS           |
|                               |                                      |               | resolution works again        |
  $ dig +search +time=1 +tries=1 my-nginx-clusterip
| prod-nginx/debug              | name/my-nginx-clusterip:80           | timeout       | the second cell: now the name |
|                               |                                      |               | resolves, and the connection  |
|                               |                                      |               | fails                         |
  $ curl --connect-timeout 1 http://my-nginx-clusterip
| prod-nginx/debug              | svc/prod-nginx/my-nginx-clusterip:80 | timeout       | [ours] the connection fails   |
|                               |                                      |               | without a name too            |
| prod-nginx/debug              | pod/prod-nginx/nginx-deployment-1:80 | timeout       | the third cell: access to the |
|                               |                                      |               | pod IP failed                 |
| prod-nginx/debug              | pod/prod-nginx/nginx-deployment-2:80 | timeout       | the third cell: access to the |
|                               |                                      |               | pod IP failed                 |
| prod-nginx/debug              | pod/prod-nginx/nginx-deployment-3:80 | timeout       | the third cell: access to the |
|                               |                                      |               | pod IP failed                 |
| prod-nginx/nginx-deployment-1 | dns/A/kube-dns.kube-system           | resolved      | the policy selects every pod, |
|                               | .svc.cluster.local                   |               | so the servers resolve names  |
|                               |                                      |               | too                           |

| from             | to                            | tutorial says          | why                                      |
|------------------|-------------------------------|------------------------|------------------------------------------|
| prod-nginx/debug | name/cloudyuga.guru:80        | timeout                | a name outside resolves, but the site is |
|                  |                               |                        | still out of reach                       |
  $ curl --connect-timeout 1 http://cloudyuga.guru
| prod-nginx/debug | dns/A/kube-dns.kube-system    | resolved               | [ours] the rule lists no port, so DNS    |
|                  | .svc.cluster.local/tcp        |                        | over TCP passes                          |
| prod-nginx/debug | svc/kube-system/kube-dns:9153 | connected              | [ours] CoreDNS's metrics port passes     |
|                  |                               |                        | too, which has nothing to do with names  |
| prod-nginx/debug | fact/name-label               | shows on every         | [ours] since Kubernetes 1.21 the API     |
|                  |                               | namespace              | server sets this label itself, so        |
|                  |                               |                        | setting it by hand changes nothing       |
| prod-nginx/debug | fact/policies                 | shows allow-dns        | kubectl get netpol lists these policies  |
|                  |                               | (Egress); default-deny |                                          |
|                  |                               | (Ingress, Egress)      |                                          |
""",
    source="netpol-by-example#allow-dns",
)


@OUTCOMES.each_row
def test_allow_dns(row, observed):
    assert observed == row.outcome, row.why
