"""Phase 1: before any policy.

No policy selects the backend, so it reaches every site by its name. The two commands of the
tutorial run as people type them. The servers that stand in for the sites speak HTTP/2 over TLS.
"""

from harness.lab import documented

OUTCOMES = documented(
    """
step open: 01-workloads

| from             | to                     | tutorial says    | why                                            |
|------------------|------------------------|------------------|------------------------------------------------|
| fqdn-lab/backend | name/kubernetes.io:443 | connected        | by default all traffic is allowed              |
  $ curl -Ik --connect-timeout 5 https://kubernetes.io
| fqdn-lab/backend | name/cilium.io:443     | connected        | the second site answers too                    |
  $ curl -Ik --connect-timeout 5 https://cilium.io
| fqdn-lab/backend | fact/first-line        | shows HTTP/2 200 | the tutorial shows this line for kubernetes.io |
  $ curl -Ik --connect-timeout 5 https://kubernetes.io
| fqdn-lab/backend | lookup/kubernetes.io   | resolved         | CoreDNS resolves the name                      |

step all: 01-workloads

| from             | to              | tutorial says    | why                                        |
|------------------|-----------------|------------------|--------------------------------------------|
| fqdn-lab/backend | fact/first-line | shows HTTP/2 200 | the tutorial shows this line for cilium.io |
  $ curl -Ik --connect-timeout 5 https://cilium.io
""",
    source="cilium-fqdn#7.1.1",
    cni="cilium",
)


@OUTCOMES.each_row
def test_open(row, observed):
    assert observed == row.outcome, row.why
