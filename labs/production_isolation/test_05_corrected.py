"""Phase 5: the version that reaches every objective of the tutorial.

All three namespaces deny by default. The frontends reach the backends, and the gateway reaches
both; each path is open at both of its ends. DNS is open to CoreDNS only. Phase 3 lacked the egress
of the frontends and the path from the gateway to them, and two namespaces had no policy at all.
"""

from harness.lab import documented

OUTCOMES = documented(
    """
step corrected: 01-workloads, 05-default-deny-all, 05-allow-dns, 03-allow-backend-ingress, 05-frontend-to-backend,
    05-gateway

| from                     | to                                | tutorial says | why                                   |
|--------------------------|-----------------------------------|---------------|---------------------------------------|
| develop/frontend         | pod/develop/backend:8080          | connected     | [3] the contract is open at both ends |
| develop/frontend         | pod/develop/backend-primary:8080  | connected     | [3] the contract is open at both ends |
| develop/frontend-primary | pod/develop/backend:8080          | connected     | [3] the contract is open at both ends |
| develop/frontend-primary | pod/develop/backend-primary:8080  | connected     | [3] the contract is open at both ends |
| develop/frontend         | name/backend:8080                 | connected     | [3] the application asks for the      |
|                          |                                   |               | backend by name                       |
| traefik/gateway          | pod/develop/frontend:80           | connected     | [4] the gateway reaches the frontend, |
|                          |                                   |               | which it publishes                    |
| traefik/gateway          | pod/develop/frontend-primary:80   | connected     | [4] the gateway reaches the second    |
|                          |                                   |               | frontend too                          |
| traefik/gateway          | pod/develop/backend:8080          | connected     | [3] the gateway reaches the backend,  |
|                          |                                   |               | on its port                           |
| traefik/gateway          | pod/develop/backend-primary:8080  | connected     | [3] the gateway reaches the second    |
|                          |                                   |               | backend too                           |
| traefik/gateway          | pod/develop/backend:9090          | timeout       | the gateway reaches no other port     |
| develop/frontend         | pod/develop/backend:9090          | timeout       | the frontends do not reach the other  |
|                          |                                   |               | port either                           |
| traefik/gateway          | pod/production/production-db:5432 | timeout       | [1] the gateway has no business with  |
|                          |                                   |               | the database                          |
| develop/frontend         | pod/production/production-db:5432 | timeout       | [5] a frontend has no business with   |
|                          |                                   |               | the database                          |
| develop/backend          | pod/production/production-db:5432 | timeout       | nobody said that the backends need    |
|                          |                                   |               | the database, so they do not reach it |
| develop/debug            | pod/production/production-db:5432 | timeout       | [1] the debug pod cannot move out of  |
|                          |                                   |               | develop                               |
| develop/debug            | pod/develop/backend:8080          | timeout       | [1] the debug pod cannot move on      |
|                          |                                   |               | within develop                        |
| develop/debug            | pod/traefik/gateway:80            | timeout       | [1] the debug pod cannot move on to   |
|                          |                                   |               | the gateway                           |
| develop/backend          | pod/develop/frontend:80           | timeout       | a path is open in one direction only  |
| production/production-db | pod/develop/backend:8080          | timeout       | the database calls nobody             |
| production/production-db | pod/traefik/gateway:80            | timeout       | [0] production is isolated too        |
| production/production-db | net/google.com:80                 | timeout       | the database has no way out           |

| from             | to                                               | tutorial says | why                        |
|------------------|--------------------------------------------------|---------------|----------------------------|
| develop/frontend | net/google.com:80                                | timeout       | a frontend has no way out  |
| traefik/gateway  | net/google.com:80                                | timeout       | the gateway has no way out |
| develop/frontend | dns/A/kube-dns.kube-system.svc.cluster.local     | resolved      | [4] DNS is open over UDP   |
| develop/frontend | dns/A/kube-dns.kube-system.svc.cluster.local/tcp | resolved      | [4] DNS is open over TCP   |
| develop/backend  | dns/A/kube-dns.kube-system.svc.cluster.local     | resolved      | [4] DNS is open over UDP   |
| develop/backend  | dns/A/kube-dns.kube-system.svc.cluster.local/tcp | resolved      | [4] DNS is open over TCP   |
| develop/debug    | dns/A/kube-dns.kube-system.svc.cluster.local     | resolved      | [4] DNS is open over UDP   |
| develop/debug    | dns/A/kube-dns.kube-system.svc.cluster.local/tcp | resolved      | [4] DNS is open over TCP   |
| traefik/gateway  | dns/A/kube-dns.kube-system.svc.cluster.local     | resolved      | [4] DNS is open over UDP   |
| traefik/gateway  | dns/A/kube-dns.kube-system.svc.cluster.local/tcp | resolved      | [4] DNS is open over TCP   |

| from                     | to                                           | tutorial says | why                      |
|--------------------------|----------------------------------------------|---------------|--------------------------|
| production/production-db | dns/A/kube-dns.kube-system.svc.cluster.local | resolved      | [4] DNS is open over UDP |
| production/production-db | dns/A/kube-dns.kube-system                   | resolved      | [4] DNS is open over TCP |
|                          | .svc.cluster.local/tcp                       |               |                          |
| production/production-db | svc/kube-system/kube-dns:9153                | timeout       | [ours] only port 53 is   |
|                          |                                              |               | open                     |
""",
    source="production-isolation#2",
)


@OUTCOMES.each_row
def test_corrected(row, observed):
    assert observed == row.outcome, row.why
