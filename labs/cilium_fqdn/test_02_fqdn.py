"""Phase 2: one name, and no other name.

A NetworkPolicy knows addresses, and the addresses of a site change. With `toFQDNs` the pod may ask
for a name. Cilium's DNS proxy reads the answer on its way to the pod, and opens the addresses in
it. So the policy needs the DNS rule: if Cilium does not see the question, it opens no address.
"""

from harness.lab import Erratum, documented

OUTCOMES = documented(
    """
step fqdn: 01-workloads, 02-egress-allow-fqdn

| from             | to                     | tutorial says    | really  | why                                       |
|------------------|------------------------|------------------|---------|-------------------------------------------|
| fqdn-lab/backend | name/kubernetes.io:443 | connected        |         | the policy allows this one name           |
  $ curl -Ik --connect-timeout 5 https://kubernetes.io
| fqdn-lab/backend | fact/first-line        | shows HTTP/2 200 |         | the line is the same as before the policy |
  $ curl -Ik --connect-timeout 5 https://kubernetes.io
| fqdn-lab/backend | name/cilium.io:443     | timeout          |         | the name resolves, but its address stays  |
|                  |                        |                  |         | closed                                    |
  $ curl -Ik --connect-timeout 5 https://cilium.io
| fqdn-lab/backend | fact/gave-up-after     | shows 5 s        |         | there is silence until curl's own limit   |
  $ curl -Ik --connect-timeout 5 https://cilium.io
| fqdn-lab/backend | fact/exit-code         | shows 28         |         | 28 is curl's exit code for a time-out     |
  $ curl -Ik --connect-timeout 5 https://cilium.io
| fqdn-lab/backend | fact/piped-exit-code   | shows 28         | shows 0 | [piped-exit-code] the pipe hides curl's   |
|                  |                        |                  |         | exit code                                 |
  $ curl -Ik --connect-timeout 5 https://cilium.io

| from              | to                            | tutorial says | why                                              |
|-------------------|-------------------------------|---------------|--------------------------------------------------|
| fqdn-lab/backend  | lookup/cilium.io              | resolved      | the pattern of the DNS rule covers every name    |
| fqdn-lab/backend  | dns/A/kubernetes.io/tcp       | resolved      | [ours] the rule's protocol ANY includes TCP      |
| fqdn-lab/backend  | net/cloudyuga.guru:80         | timeout       | all other egress is closed, by address too       |
| fqdn-lab/backend  | pod/fqdn-lab/frontend:80      | timeout       | a pod of the same namespace is closed too        |
| fqdn-lab/backend  | svc/kube-system/kube-dns:9153 | timeout       | [ours] the rule opens CoreDNS's port 53 only     |
| fqdn-lab/frontend | name/cilium.io:443            | connected     | the policy is for app=backend only               |
| fqdn-lab/backend  | name/neighbour.cloudyuga      | connected     | [ours] the method has a limit: this name has the |
|                   | .guru:443                     |               | address of kubernetes.io, and Cilium opens       |
|                   |                               |               | addresses                                        |
""",
    source="cilium-fqdn#7.1.1",
    cni="cilium",
    errata=[
        Erratum(
            id="piped-exit-code",
            wrong="the command of the tutorial ends with curl's exit code 28",
            why="the tutorial pipes the output through `head`, and a shell reports the last command of a "
            "pipe. A script that reads $? gets 0, success, although the site was out of reach",
            corrected="leave out the pipe, or run `set -o pipefail` first",
        ),
    ],
)


@OUTCOMES.each_row
def test_fqdn(row, observed):
    assert observed == row.outcome, row.why
