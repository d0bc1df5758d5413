"""Phase 5: the version that holds every objective of the text.

Deny by default in all three namespaces; frontends to backends, and the gateway to both, each path
opened at both of its ends; DNS to CoreDNS only. Compare with phase 3: the frontends' egress and the
gateway's path to them were missing, and two namespaces had no policy at all.
"""

from harness.lab import documented

OUTCOMES = documented(
    """
step corrected: 01-workloads, 05-default-deny-all, 05-allow-dns, 03-allow-backend-ingress, 05-frontend-to-backend,
    05-gateway

| from                     | to                                | tutorial says | why                                   |
|--------------------------|-----------------------------------|---------------|---------------------------------------|
| develop/frontend         | pod/develop/backend:8080          | connected     | [3] the contract, open at both ends   |
| develop/frontend         | pod/develop/backend-primary:8080  | connected     | [3] the contract, open at both ends   |
| develop/frontend-primary | pod/develop/backend:8080          | connected     | [3] the contract, open at both ends   |
| develop/frontend-primary | pod/develop/backend-primary:8080  | connected     | [3] the contract, open at both ends   |
| develop/frontend         | name/backend:8080                 | connected     | [3] as the application asks for it:   |
|                          |                                   |               | by name                               |
| traefik/gateway          | pod/develop/frontend:80           | connected     | [4] the gateway reaches what it       |
|                          |                                   |               | publishes                             |
| traefik/gateway          | pod/develop/frontend-primary:80   | connected     | [4] the second frontend too           |
| traefik/gateway          | pod/develop/backend:8080          | connected     | [3] and the backends, on their port   |
| traefik/gateway          | pod/develop/backend-primary:8080  | connected     | [3] both of them                      |
| traefik/gateway          | pod/develop/backend:9090          | timeout       | and no other port                     |
| develop/frontend         | pod/develop/backend:9090          | timeout       | nor for the frontends                 |
| traefik/gateway          | pod/production/production-db:5432 | timeout       | [1] the gateway has no business with  |
|                          |                                   |               | the database                          |
| develop/frontend         | pod/production/production-db:5432 | timeout       | [5] nor has a frontend                |
| develop/backend          | pod/production/production-db:5432 | timeout       | nobody said that the backends need    |
|                          |                                   |               | the database, so they do not reach it |
| develop/debug            | pod/production/production-db:5432 | timeout       | [1] no lateral movement out of        |
|                          |                                   |               | develop                               |
| develop/debug            | pod/develop/backend:8080          | timeout       | [1] nor inside of it                  |
| develop/debug            | pod/traefik/gateway:80            | timeout       | [1] nor towards the gateway           |
| develop/backend          | pod/develop/frontend:80           | timeout       | a path is open in one direction only  |
| production/production-db | pod/develop/backend:8080          | timeout       | the database calls nobody             |
| production/production-db | pod/traefik/gateway:80            | timeout       | [0] production is isolated as well    |
| production/production-db | net/google.com:80                 | timeout       | nothing leaves the cluster: from the  |
|                          |                                   |               | database                              |
| develop/frontend         | net/google.com:80                 | timeout       | from a frontend                       |
| traefik/gateway          | net/google.com:80                 | timeout       | from the gateway                      |
| develop/frontend         | dns/A/kube-dns.kube-system        | resolved      | [4] DNS over UDP                      |
|                          | .svc.cluster.local                |               |                                       |
| develop/frontend         | dns/A/kube-dns.kube-system        | resolved      | [4] DNS over TCP                      |
|                          | .svc.cluster.local/tcp            |               |                                       |
| develop/backend          | dns/A/kube-dns.kube-system        | resolved      | [4] DNS over UDP                      |
|                          | .svc.cluster.local                |               |                                       |
| develop/backend          | dns/A/kube-dns.kube-system        | resolved      | [4] DNS over TCP                      |
|                          | .svc.cluster.local/tcp            |               |                                       |
| develop/debug            | dns/A/kube-dns.kube-system        | resolved      | [4] DNS over UDP                      |
|                          | .svc.cluster.local                |               |                                       |
| develop/debug            | dns/A/kube-dns.kube-system        | resolved      | [4] DNS over TCP                      |
|                          | .svc.cluster.local/tcp            |               |                                       |
| traefik/gateway          | dns/A/kube-dns.kube-system        | resolved      | [4] DNS over UDP                      |
|                          | .svc.cluster.local                |               |                                       |
| traefik/gateway          | dns/A/kube-dns.kube-system        | resolved      | [4] DNS over TCP                      |
|                          | .svc.cluster.local/tcp            |               |                                       |
| production/production-db | dns/A/kube-dns.kube-system        | resolved      | [4] DNS over UDP                      |
|                          | .svc.cluster.local                |               |                                       |
| production/production-db | dns/A/kube-dns.kube-system        | resolved      | [4] DNS over TCP                      |
|                          | .svc.cluster.local/tcp            |               |                                       |
| production/production-db | svc/kube-system/kube-dns:9153     | timeout       | [ours] port 53 and no other           |
""",
    source="production-isolation#2",
)


@OUTCOMES.each_row
def test_corrected(row, observed):
    assert observed == row.outcome, row.why
