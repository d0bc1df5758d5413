"""Phase 3: the two policies of the text, on top of default deny.

`allow-backend-ingress` opens the backends' door for the frontends and for the gateway's namespace.
`allow-dns-egress` lets every pod of `develop` ask CoreDNS. A path has two ends: the gateway's own
namespace is open, so its path works; the frontends' egress is not, so theirs does not.
"""

from harness.lab import Erratum, documented

OUTCOMES = documented(
    """
step baseline: 01-workloads, 02-default-deny, 03-allow-backend-ingress, 03-allow-dns-egress

| from                     | to                               | tutorial says | really  | why                          |
|--------------------------|----------------------------------|---------------|---------|------------------------------|
| develop/frontend         | pod/develop/backend:8080         | connected     | timeout | [frontend-egress] the        |
|                          |                                  |               |         | contract between services    |
| develop/frontend-primary | pod/develop/backend-primary:8080 | connected     | timeout | [frontend-egress] the same   |
|                          |                                  |               |         | contract, for the second     |
|                          |                                  |               |         | pair that the rule lists     |
| traefik/gateway          | pod/develop/backend:8080         | connected     |         | the second rule lets in the  |
|                          |                                  |               |         | namespace traefik, and       |
|                          |                                  |               |         | nothing isolates the gateway |
| traefik/gateway          | pod/develop/backend-primary:8080 | connected     |         | the selector names both      |
|                          |                                  |               |         | backends                     |
| develop/debug            | pod/develop/backend:8080         | timeout       |         | a pod without the label is   |
|                          |                                  |               |         | neither let out nor let in   |
| production/production-db | pod/develop/backend:8080         | timeout       |         | another namespace is not let |
|                          |                                  |               |         | in: only the receiver is     |
|                          |                                  |               |         | isolated here, and that is   |
|                          |                                  |               |         | enough                       |
| traefik/gateway          | pod/develop/backend:9090         | timeout       |         | only port 8080 is opened:    |
|                          |                                  |               |         | the administrators' port, on |
|                          |                                  |               |         | which the backend listens    |
|                          |                                  |               |         | too, stays shut              |
| traefik/gateway          | pod/develop/frontend:80          | connected     | timeout | [gateway-backends-only, 4]   |
|                          |                                  |               |         | every workload is to inherit |
|                          |                                  |               |         | ingress from the gateway     |
| develop/frontend         | dns/A/kube-dns.kube-system       | resolved      |         | [4] the first selector       |
|                          | .svc.cluster.local               |               |         | matches kubeadm CoreDNS      |
| develop/frontend         | dns/A/kube-dns.kube-system       | resolved      |         | [4] TCP 53 is listed as      |
|                          | .svc.cluster.local/tcp           |               |         | well, for long answers       |
| develop/frontend-primary | dns/A/kube-dns.kube-system       | resolved      |         | [4] every workload: the      |
|                          | .svc.cluster.local               |               |         | second frontend              |
| develop/backend          | dns/A/kube-dns.kube-system       | resolved      |         | [4] every workload: the      |
|                          | .svc.cluster.local               |               |         | backend                      |
| develop/backend          | dns/A/kube-dns.kube-system       | resolved      |         | [4] over TCP too             |
|                          | .svc.cluster.local/tcp           |               |         |                              |
| develop/debug            | dns/A/kube-dns.kube-system       | resolved      |         | [4] the empty podSelector    |
|                          | .svc.cluster.local               |               |         | means the debug pod as well  |
| develop/frontend         | svc/kube-system/kube-dns:9153    | timeout       |         | [ours] the DNS rule lists    |
|                          |                                  |               |         | its port, so the metrics of  |
|                          |                                  |               |         | CoreDNS stay closed          |
| develop/debug            | net/google.com:80                | timeout       |         | [2] DNS is open, the way out |
|                          |                                  |               |         | is not                       |
""",
    source="production-isolation#3",
    errata=[
        Erratum(
            id="frontend-egress",
            wrong="allow-backend-ingress lets the frontends call the backends on port 8080",
            why="it opens the receiver's side only; default deny has closed the frontends' egress, and no "
            "policy of the text opens it, so the packets are dropped before they leave the frontend",
            corrected="05-frontend-to-backend: the sender's half of the path",
        ),
        Erratum(
            id="gateway-backends-only",
            wrong="every workload inherits a baseline that lets in the traffic of the cluster's gateway",
            why="the only rule for the gateway is in allow-backend-ingress, which selects the backends; the "
            "frontends' ingress stays shut",
            corrected="05-gateway: the gateway's path to the frontends, at both ends",
        ),
    ],
)


@OUTCOMES.each_row
def test_baseline(row, observed):
    assert observed == row.outcome, row.why
