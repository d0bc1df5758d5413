"""Phase 3: the two policies of the text, on top of default deny.

`allow-backend-ingress` opens the backends' door for the frontends and for the gateway's namespace.
`allow-dns-egress` lets every pod of `develop` ask CoreDNS. A path has two ends: the gateway's own
namespace is open, so its path works; the frontends' egress is not, so theirs does not.
"""

from harness.core.lab.documented import Row
from harness.core.outcome import Reading
from harness.lab import Erratum, documented

FRONTEND_EGRESS = Erratum(
    id="frontend-egress",
    wrong="allow-backend-ingress lets the frontends call the backends on port 8080",
    why="it opens the receiver's side only; default deny has closed the frontends' egress, and no policy of the "
    "text opens it, so the packets are dropped before they leave the frontend",
    corrected="05-frontend-to-backend: the sender's half of the path",
)
GATEWAY = Erratum(
    id="gateway-backends-only",
    wrong="every workload inherits a baseline that lets in the traffic of the cluster's gateway",
    why="the only rule for the gateway is in allow-backend-ingress, which selects the backends; the frontends' "
    "ingress stays shut",
    corrected="05-gateway: the gateway's path to the frontends, at both ends",
)

OUTCOMES = documented(
    """
| step     | apply                                                                        | from                     | to                                               | outcome   | actual  | erratum               | cite | why |
|----------|------------------------------------------------------------------------------|--------------------------|--------------------------------------------------|-----------|---------|-----------------------|------|-----|
| baseline | 01-workloads, 02-default-deny, 03-allow-backend-ingress, 03-allow-dns-egress | develop/frontend         | pod/develop/backend:8080                         | connected | timeout | frontend-egress       | 3    | the contract between services |
| baseline | 01-workloads, 02-default-deny, 03-allow-backend-ingress, 03-allow-dns-egress | develop/frontend-primary | pod/develop/backend-primary:8080                 | connected | timeout | frontend-egress       | 3    | the same contract, for the second pair that the rule lists |
| baseline | 01-workloads, 02-default-deny, 03-allow-backend-ingress, 03-allow-dns-egress | traefik/gateway          | pod/develop/backend:8080                         | connected |         |                       | 3    | the second rule lets in the namespace traefik, and nothing isolates the gateway |
| baseline | 01-workloads, 02-default-deny, 03-allow-backend-ingress, 03-allow-dns-egress | traefik/gateway          | pod/develop/backend-primary:8080                 | connected |         |                       | 3    | the selector names both backends |
| baseline | 01-workloads, 02-default-deny, 03-allow-backend-ingress, 03-allow-dns-egress | develop/debug            | pod/develop/backend:8080                         | timeout   |         |                       | 3    | a pod without the label is neither let out nor let in |
| baseline | 01-workloads, 02-default-deny, 03-allow-backend-ingress, 03-allow-dns-egress | production/production-db | pod/develop/backend:8080                         | timeout   |         |                       | 3    | another namespace is not let in: only the receiver is isolated here, and that is enough |
| baseline | 01-workloads, 02-default-deny, 03-allow-backend-ingress, 03-allow-dns-egress | traefik/gateway          | pod/develop/backend:9090                         | timeout   |         |                       | 3    | only port 8080 is opened: the administrators' port, on which the backend listens too, stays shut |
| baseline | 01-workloads, 02-default-deny, 03-allow-backend-ingress, 03-allow-dns-egress | traefik/gateway          | pod/develop/frontend:80                          | connected | timeout | gateway-backends-only | 4    | every workload is to inherit ingress from the gateway |
| baseline | 01-workloads, 02-default-deny, 03-allow-backend-ingress, 03-allow-dns-egress | develop/frontend         | dns/A/kube-dns.kube-system.svc.cluster.local     | resolved  |         |                       | 4    | the first selector matches kubeadm CoreDNS |
| baseline | 01-workloads, 02-default-deny, 03-allow-backend-ingress, 03-allow-dns-egress | develop/frontend         | dns/A/kube-dns.kube-system.svc.cluster.local/tcp | resolved  |         |                       | 4    | TCP 53 is listed as well, for long answers |
| baseline | 01-workloads, 02-default-deny, 03-allow-backend-ingress, 03-allow-dns-egress | develop/frontend-primary | dns/A/kube-dns.kube-system.svc.cluster.local     | resolved  |         |                       | 4    | every workload: the second frontend |
| baseline | 01-workloads, 02-default-deny, 03-allow-backend-ingress, 03-allow-dns-egress | develop/backend          | dns/A/kube-dns.kube-system.svc.cluster.local     | resolved  |         |                       | 4    | every workload: the backend |
| baseline | 01-workloads, 02-default-deny, 03-allow-backend-ingress, 03-allow-dns-egress | develop/backend          | dns/A/kube-dns.kube-system.svc.cluster.local/tcp | resolved  |         |                       | 4    | over TCP too |
| baseline | 01-workloads, 02-default-deny, 03-allow-backend-ingress, 03-allow-dns-egress | develop/debug            | dns/A/kube-dns.kube-system.svc.cluster.local     | resolved  |         |                       | 4    | the empty podSelector means the debug pod as well |
| baseline | 01-workloads, 02-default-deny, 03-allow-backend-ingress, 03-allow-dns-egress | develop/frontend         | svc/kube-system/kube-dns:9153                    | timeout   |         |                       | ours | the DNS rule lists its port, so the metrics of CoreDNS stay closed |
| baseline | 01-workloads, 02-default-deny, 03-allow-backend-ingress, 03-allow-dns-egress | develop/debug            | net/google.com:80                                | timeout   |         |                       | 2    | DNS is open, the way out is not |
""",
    source="production-isolation#3",
    errata=[FRONTEND_EGRESS, GATEWAY],
)


@OUTCOMES.each_row
def test_baseline(row: Row, observed: Reading) -> None:
    assert observed == row.outcome, row.why
