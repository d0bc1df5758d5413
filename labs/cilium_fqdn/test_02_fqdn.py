"""Phase 2: one name and no other.

A NetworkPolicy knows addresses, and a site's addresses change. Cilium's `toFQDNs` lets the pod ask
for a name, reads the answer on its way through the agent's DNS proxy, and opens the addresses in it.
So it needs the DNS rule: without a question that Cilium sees, no address is ever opened.
"""

from harness.lab import Erratum, documented

OUTCOMES = documented(
    """
step fqdn: 01-workloads, 02-egress-allow-fqdn

| from              | to                            | tutorial says    | really  | why                                 |
|-------------------|-------------------------------|------------------|---------|-------------------------------------|
| fqdn-lab/backend  | name/kubernetes.io:443        | connected        |         | the one name that is allowed        |
  $ curl -Ik --connect-timeout 5 https://kubernetes.io
| fqdn-lab/backend  | fact/first-line               | shows HTTP/2 200 |         | as before the policy                |
  $ curl -Ik --connect-timeout 5 https://kubernetes.io
| fqdn-lab/backend  | name/cilium.io:443            | timeout          |         | its name resolves, its address      |
|                   |                               |                  |         | stays closed                        |
  $ curl -Ik --connect-timeout 5 https://cilium.io
| fqdn-lab/backend  | fact/gave-up-after            | shows 5 s        |         | silence until curl's own limit      |
  $ curl -Ik --connect-timeout 5 https://cilium.io
| fqdn-lab/backend  | fact/exit-code                | shows 28         |         | curl's word for a time-out          |
  $ curl -Ik --connect-timeout 5 https://cilium.io
| fqdn-lab/backend  | fact/piped-exit-code          | shows 28         | shows 0 | [piped-exit-code] as the text types |
|                   |                               |                  |         | it, with its pipe                   |
  $ curl -Ik --connect-timeout 5 https://cilium.io
| fqdn-lab/backend  | lookup/cilium.io              | resolved         |         | the DNS rule's pattern covers every |
|                   |                               |                  |         | name                                |
| fqdn-lab/backend  | dns/A/kubernetes.io/tcp       | resolved         |         | [ours] ANY is TCP as well           |
| fqdn-lab/backend  | net/cloudyuga.guru:80         | timeout          |         | by address, without a lookup: all   |
|                   |                               |                  |         | other egress is closed              |
| fqdn-lab/backend  | pod/fqdn-lab/frontend:80      | timeout          |         | to a pod of its own namespace too   |
| fqdn-lab/backend  | svc/kube-system/kube-dns:9153 | timeout          |         | [ours] port 53 of CoreDNS, and no   |
|                   |                               |                  |         | other                               |
| fqdn-lab/frontend | name/cilium.io:443            | connected        |         | the policy is for app=backend only  |
| fqdn-lab/backend  | name/neighbour.cloudyuga      | connected        |         | [ours] the limit of the method:     |
|                   | .guru:443                     |                  |         | this name shares kubernetes.io's    |
|                   |                               |                  |         | address, and addresses are what is  |
|                   |                               |                  |         | opened                              |
""",
    source="cilium-fqdn#7.1.1",
    cni="cilium",
    errata=[
        Erratum(
            id="piped-exit-code",
            wrong="curl's exit code 28 is what the command of the text ends with",
            why="the text pipes the output through `head`, and a shell reports the last command of a pipe: "
            "a script that asks $? is told 0, success, while the site was out of reach",
            corrected="leave out the pipe, or `set -o pipefail` first",
        ),
    ],
)


@OUTCOMES.each_row
def test_fqdn(row, observed):
    assert observed == row.outcome, row.why
