"""Phase 3: the two policies of the tutorial, on top of default deny.

`allow-backend-ingress` opens the ingress of the backends, for the frontends and for the namespace
of the gateway. `allow-dns-egress` lets every pod of `develop` ask CoreDNS. A path has two ends. The
gateway's own namespace is open, so the gateway's path works. The egress of the frontends is closed,
so their path does not work.
"""

from harness.lab import Erratum, documented

OUTCOMES = documented(
    """
step baseline: 01-workloads, 02-default-deny, 03-allow-backend-ingress, 03-allow-dns-egress

| from                     | to                               | tutorial says | really  | why                          |
|--------------------------|----------------------------------|---------------|---------|------------------------------|
| develop/frontend         | pod/develop/backend:8080         | connected     | timeout | [frontend-egress] the        |
|                          |                                  |               |         | frontend's own egress is     |
|                          |                                  |               |         | still closed                 |
| develop/frontend-primary | pod/develop/backend-primary:8080 | connected     | timeout | [frontend-egress] the same   |
|                          |                                  |               |         | is true for the second pair  |
|                          |                                  |               |         | in the rule                  |
| traefik/gateway          | pod/develop/backend:8080         | connected     |         | the second rule lets in the  |
|                          |                                  |               |         | namespace traefik, and       |
|                          |                                  |               |         | nothing isolates the gateway |
| traefik/gateway          | pod/develop/backend-primary:8080 | connected     |         | the policy selects both      |
|                          |                                  |               |         | backends                     |
| develop/debug            | pod/develop/backend:8080         | timeout       |         | without the label, the debug |
|                          |                                  |               |         | pod gets neither out nor in  |
| production/production-db | pod/develop/backend:8080         | timeout       |         | no rule lets in production;  |
|                          |                                  |               |         | one closed end is enough,    |
|                          |                                  |               |         | even where the other is open |
| traefik/gateway          | pod/develop/backend:9090         | timeout       |         | only port 8080 is open; the  |
|                          |                                  |               |         | backend's port for           |
|                          |                                  |               |         | administrators stays closed  |
| traefik/gateway          | pod/develop/frontend:80          | connected     | timeout | [gateway-backends-only, 4]   |
|                          |                                  |               |         | the rule for the gateway     |
|                          |                                  |               |         | selects the backends only    |
| develop/frontend         | dns/A/kube-dns.kube-system       | resolved      |         | [4] the first selector of    |
|                          | .svc.cluster.local               |               |         | the rule matches kubeadm's   |
|                          |                                  |               |         | CoreDNS                      |
| develop/frontend         | dns/A/kube-dns.kube-system       | resolved      |         | [4] the rule lists TCP 53    |
|                          | .svc.cluster.local/tcp           |               |         | too, for long answers        |
| develop/frontend-primary | dns/A/kube-dns.kube-system       | resolved      |         | [4] the rule is for every    |
|                          | .svc.cluster.local               |               |         | pod: here the second         |
|                          |                                  |               |         | frontend                     |
| develop/backend          | dns/A/kube-dns.kube-system       | resolved      |         | [4] the rule is for every    |
|                          | .svc.cluster.local               |               |         | pod: here the backend        |
| develop/backend          | dns/A/kube-dns.kube-system       | resolved      |         | [4] the backend may ask over |
|                          | .svc.cluster.local/tcp           |               |         | TCP too                      |
| develop/debug            | dns/A/kube-dns.kube-system       | resolved      |         | [4] the empty podSelector    |
|                          | .svc.cluster.local               |               |         | selects the debug pod too    |
| develop/frontend         | svc/kube-system/kube-dns:9153    | timeout       |         | [ours] the rule lists port   |
|                          |                                  |               |         | 53, so CoreDNS's metrics     |
|                          |                                  |               |         | stay closed                  |
| develop/debug            | net/google.com:80                | timeout       |         | [2] DNS is open, but the way |
|                          |                                  |               |         | out is closed                |
""",
    source="production-isolation#3",
    errata=[
        Erratum(
            id="frontend-egress",
            wrong="allow-backend-ingress lets the frontends call the backends on port 8080",
            why="the policy opens the receiver's end only. Default deny has closed the egress of the "
            "frontends, and no policy of the tutorial opens it: the packets are dropped before they "
            "leave the frontend",
            corrected="05-frontend-to-backend: the sender's half of the path",
        ),
        Erratum(
            id="gateway-backends-only",
            wrong="every workload has a baseline that lets in the traffic of the cluster's gateway",
            why="the only rule for the gateway is in allow-backend-ingress, which selects the backends. The "
            "ingress of the frontends stays closed",
            corrected="05-gateway: the path from the gateway to the frontends, at both ends",
        ),
    ],
)


@OUTCOMES.each_row
def test_baseline(row, observed):
    assert observed == row.outcome, row.why
