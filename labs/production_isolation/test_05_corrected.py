"""Phase 5: the version that holds every objective of the text.

Deny by default in all three namespaces; frontends to backends, and the gateway to both, each path
opened at both of its ends; DNS to CoreDNS only. Compare with phase 3: the frontends' egress and the
gateway's path to them were missing, and two namespaces had no policy at all.
"""

from harness.core.lab.documented import Row
from harness.core.outcome import Reading
from harness.lab import documented

OUTCOMES = documented(
    """
| step      | apply                                                                                                         | from                     | to                                               | outcome   | cite | why |
|-----------|---------------------------------------------------------------------------------------------------------------|--------------------------|--------------------------------------------------|-----------|------|-----|
| corrected | 01-workloads, 05-default-deny-all, 05-allow-dns, 03-allow-backend-ingress, 05-frontend-to-backend, 05-gateway | develop/frontend         | pod/develop/backend:8080                         | connected | 3    | the contract, open at both ends |
| corrected | 01-workloads, 05-default-deny-all, 05-allow-dns, 03-allow-backend-ingress, 05-frontend-to-backend, 05-gateway | develop/frontend         | pod/develop/backend-primary:8080                 | connected | 3    | the contract, open at both ends |
| corrected | 01-workloads, 05-default-deny-all, 05-allow-dns, 03-allow-backend-ingress, 05-frontend-to-backend, 05-gateway | develop/frontend-primary | pod/develop/backend:8080                         | connected | 3    | the contract, open at both ends |
| corrected | 01-workloads, 05-default-deny-all, 05-allow-dns, 03-allow-backend-ingress, 05-frontend-to-backend, 05-gateway | develop/frontend-primary | pod/develop/backend-primary:8080                 | connected | 3    | the contract, open at both ends |
| corrected | 01-workloads, 05-default-deny-all, 05-allow-dns, 03-allow-backend-ingress, 05-frontend-to-backend, 05-gateway | develop/frontend         | name/backend:8080                                | connected | 3    | as the application asks for it: by name |
| corrected | 01-workloads, 05-default-deny-all, 05-allow-dns, 03-allow-backend-ingress, 05-frontend-to-backend, 05-gateway | traefik/gateway          | pod/develop/frontend:80                          | connected | 4    | the gateway reaches what it publishes |
| corrected | 01-workloads, 05-default-deny-all, 05-allow-dns, 03-allow-backend-ingress, 05-frontend-to-backend, 05-gateway | traefik/gateway          | pod/develop/frontend-primary:80                  | connected | 4    | the second frontend too |
| corrected | 01-workloads, 05-default-deny-all, 05-allow-dns, 03-allow-backend-ingress, 05-frontend-to-backend, 05-gateway | traefik/gateway          | pod/develop/backend:8080                         | connected | 3    | and the backends, on their port |
| corrected | 01-workloads, 05-default-deny-all, 05-allow-dns, 03-allow-backend-ingress, 05-frontend-to-backend, 05-gateway | traefik/gateway          | pod/develop/backend-primary:8080                 | connected | 3    | both of them |
| corrected | 01-workloads, 05-default-deny-all, 05-allow-dns, 03-allow-backend-ingress, 05-frontend-to-backend, 05-gateway | traefik/gateway          | pod/develop/backend:9090                         | timeout   | 2    | and no other port |
| corrected | 01-workloads, 05-default-deny-all, 05-allow-dns, 03-allow-backend-ingress, 05-frontend-to-backend, 05-gateway | develop/frontend         | pod/develop/backend:9090                         | timeout   | 2    | nor for the frontends |
| corrected | 01-workloads, 05-default-deny-all, 05-allow-dns, 03-allow-backend-ingress, 05-frontend-to-backend, 05-gateway | traefik/gateway          | pod/production/production-db:5432                | timeout   | 1    | the gateway has no business with the database |
| corrected | 01-workloads, 05-default-deny-all, 05-allow-dns, 03-allow-backend-ingress, 05-frontend-to-backend, 05-gateway | develop/frontend         | pod/production/production-db:5432                | timeout   | 5    | nor has a frontend |
| corrected | 01-workloads, 05-default-deny-all, 05-allow-dns, 03-allow-backend-ingress, 05-frontend-to-backend, 05-gateway | develop/backend          | pod/production/production-db:5432                | timeout   | 2    | nobody said that the backends need the database, so they do not reach it |
| corrected | 01-workloads, 05-default-deny-all, 05-allow-dns, 03-allow-backend-ingress, 05-frontend-to-backend, 05-gateway | develop/debug            | pod/production/production-db:5432                | timeout   | 1    | no lateral movement out of develop |
| corrected | 01-workloads, 05-default-deny-all, 05-allow-dns, 03-allow-backend-ingress, 05-frontend-to-backend, 05-gateway | develop/debug            | pod/develop/backend:8080                         | timeout   | 1    | nor inside of it |
| corrected | 01-workloads, 05-default-deny-all, 05-allow-dns, 03-allow-backend-ingress, 05-frontend-to-backend, 05-gateway | develop/debug            | pod/traefik/gateway:80                           | timeout   | 1    | nor towards the gateway |
| corrected | 01-workloads, 05-default-deny-all, 05-allow-dns, 03-allow-backend-ingress, 05-frontend-to-backend, 05-gateway | develop/backend          | pod/develop/frontend:80                          | timeout   | 2    | a path is open in one direction only |
| corrected | 01-workloads, 05-default-deny-all, 05-allow-dns, 03-allow-backend-ingress, 05-frontend-to-backend, 05-gateway | production/production-db | pod/develop/backend:8080                         | timeout   | 2    | the database calls nobody |
| corrected | 01-workloads, 05-default-deny-all, 05-allow-dns, 03-allow-backend-ingress, 05-frontend-to-backend, 05-gateway | production/production-db | pod/traefik/gateway:80                           | timeout   | 0    | production is isolated as well |
| corrected | 01-workloads, 05-default-deny-all, 05-allow-dns, 03-allow-backend-ingress, 05-frontend-to-backend, 05-gateway | production/production-db | net/google.com:80                                | timeout   | 2    | nothing leaves the cluster: from the database |
| corrected | 01-workloads, 05-default-deny-all, 05-allow-dns, 03-allow-backend-ingress, 05-frontend-to-backend, 05-gateway | develop/frontend         | net/google.com:80                                | timeout   | 2    | from a frontend |
| corrected | 01-workloads, 05-default-deny-all, 05-allow-dns, 03-allow-backend-ingress, 05-frontend-to-backend, 05-gateway | traefik/gateway          | net/google.com:80                                | timeout   | 2    | from the gateway |
| corrected | 01-workloads, 05-default-deny-all, 05-allow-dns, 03-allow-backend-ingress, 05-frontend-to-backend, 05-gateway | develop/frontend         | dns/A/kube-dns.kube-system.svc.cluster.local     | resolved  | 4    | DNS over UDP |
| corrected | 01-workloads, 05-default-deny-all, 05-allow-dns, 03-allow-backend-ingress, 05-frontend-to-backend, 05-gateway | develop/frontend         | dns/A/kube-dns.kube-system.svc.cluster.local/tcp | resolved  | 4    | DNS over TCP |
| corrected | 01-workloads, 05-default-deny-all, 05-allow-dns, 03-allow-backend-ingress, 05-frontend-to-backend, 05-gateway | develop/backend          | dns/A/kube-dns.kube-system.svc.cluster.local     | resolved  | 4    | DNS over UDP |
| corrected | 01-workloads, 05-default-deny-all, 05-allow-dns, 03-allow-backend-ingress, 05-frontend-to-backend, 05-gateway | develop/backend          | dns/A/kube-dns.kube-system.svc.cluster.local/tcp | resolved  | 4    | DNS over TCP |
| corrected | 01-workloads, 05-default-deny-all, 05-allow-dns, 03-allow-backend-ingress, 05-frontend-to-backend, 05-gateway | develop/debug            | dns/A/kube-dns.kube-system.svc.cluster.local     | resolved  | 4    | DNS over UDP |
| corrected | 01-workloads, 05-default-deny-all, 05-allow-dns, 03-allow-backend-ingress, 05-frontend-to-backend, 05-gateway | develop/debug            | dns/A/kube-dns.kube-system.svc.cluster.local/tcp | resolved  | 4    | DNS over TCP |
| corrected | 01-workloads, 05-default-deny-all, 05-allow-dns, 03-allow-backend-ingress, 05-frontend-to-backend, 05-gateway | traefik/gateway          | dns/A/kube-dns.kube-system.svc.cluster.local     | resolved  | 4    | DNS over UDP |
| corrected | 01-workloads, 05-default-deny-all, 05-allow-dns, 03-allow-backend-ingress, 05-frontend-to-backend, 05-gateway | traefik/gateway          | dns/A/kube-dns.kube-system.svc.cluster.local/tcp | resolved  | 4    | DNS over TCP |
| corrected | 01-workloads, 05-default-deny-all, 05-allow-dns, 03-allow-backend-ingress, 05-frontend-to-backend, 05-gateway | production/production-db | dns/A/kube-dns.kube-system.svc.cluster.local     | resolved  | 4    | DNS over UDP |
| corrected | 01-workloads, 05-default-deny-all, 05-allow-dns, 03-allow-backend-ingress, 05-frontend-to-backend, 05-gateway | production/production-db | dns/A/kube-dns.kube-system.svc.cluster.local/tcp | resolved  | 4    | DNS over TCP |
| corrected | 01-workloads, 05-default-deny-all, 05-allow-dns, 03-allow-backend-ingress, 05-frontend-to-backend, 05-gateway | production/production-db | svc/kube-system/kube-dns:9153                    | timeout   | ours | port 53 and no other |
""",
    source="production-isolation#2",
)


@OUTCOMES.each_row
def test_corrected(row: Row, observed: Reading) -> None:
    assert observed == row.outcome, row.why
