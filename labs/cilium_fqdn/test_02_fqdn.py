"""Phase 2: one name and no other.

A NetworkPolicy knows addresses, and a site's addresses change. Cilium's `toFQDNs` lets the pod ask
for a name, reads the answer on its way through the agent's DNS proxy, and opens the addresses in it.
So it needs the DNS rule: without a question that Cilium sees, no address is ever opened.
"""

from harness.core.lab.documented import Row
from harness.core.outcome import Reading
from harness.lab import Erratum, documented

PIPED = Erratum(
    id="piped-exit-code",
    wrong="curl's exit code 28 is what the command of the text ends with",
    why="the text pipes the output through `head`, and a shell reports the last command of a pipe: a script "
    "that asks $? is told 0, success, while the site was out of reach",
    corrected="leave out the pipe, or `set -o pipefail` first",
)

OUTCOMES = documented(
    """
| step | apply                               | from              | to                                | outcome          | actual  | erratum         | command                                            | cite  | why |
|------|-------------------------------------|-------------------|-----------------------------------|------------------|---------|-----------------|----------------------------------------------------|-------|-----|
| fqdn | 01-workloads, 02-egress-allow-fqdn  | fqdn-lab/backend  | name/kubernetes.io:443            | connected        |         |                 | curl -Ik --connect-timeout 5 https://kubernetes.io | 7.1.1 | the one name that is allowed |
| fqdn | 01-workloads, 02-egress-allow-fqdn  | fqdn-lab/backend  | fact/first-line                   | shows HTTP/2 200 |         |                 | curl -Ik --connect-timeout 5 https://kubernetes.io | 7.1.1 | as before the policy |
| fqdn | 01-workloads, 02-egress-allow-fqdn  | fqdn-lab/backend  | name/cilium.io:443                | timeout          |         |                 | curl -Ik --connect-timeout 5 https://cilium.io     | 7.1.1 | its name resolves, its address stays closed |
| fqdn | 01-workloads, 02-egress-allow-fqdn  | fqdn-lab/backend  | fact/gave-up-after                | shows 5 s        |         |                 | curl -Ik --connect-timeout 5 https://cilium.io     | 7.1.1 | silence until curl's own limit |
| fqdn | 01-workloads, 02-egress-allow-fqdn  | fqdn-lab/backend  | fact/exit-code                    | shows 28         |         |                 | curl -Ik --connect-timeout 5 https://cilium.io     | 7.1.1 | curl's word for a time-out |
| fqdn | 01-workloads, 02-egress-allow-fqdn  | fqdn-lab/backend  | fact/piped-exit-code              | shows 28         | shows 0 | piped-exit-code | curl -Ik --connect-timeout 5 https://cilium.io     | 7.1.1 | as the text types it, with its pipe |
| fqdn | 01-workloads, 02-egress-allow-fqdn  | fqdn-lab/backend  | lookup/cilium.io                  | resolved         |         |                 |                                                    | 7.1.1 | the DNS rule's pattern covers every name |
| fqdn | 01-workloads, 02-egress-allow-fqdn  | fqdn-lab/backend  | dns/A/kubernetes.io/tcp           | resolved         |         |                 |                                                    | ours  | ANY is TCP as well |
| fqdn | 01-workloads, 02-egress-allow-fqdn  | fqdn-lab/backend  | net/cloudyuga.guru:80             | timeout          |         |                 |                                                    | 7.1.1 | by address, without a lookup: all other egress is closed |
| fqdn | 01-workloads, 02-egress-allow-fqdn  | fqdn-lab/backend  | pod/fqdn-lab/frontend:80          | timeout          |         |                 |                                                    | 7.1.1 | to a pod of its own namespace too |
| fqdn | 01-workloads, 02-egress-allow-fqdn  | fqdn-lab/backend  | svc/kube-system/kube-dns:9153     | timeout          |         |                 |                                                    | ours  | port 53 of CoreDNS, and no other |
| fqdn | 01-workloads, 02-egress-allow-fqdn  | fqdn-lab/frontend | name/cilium.io:443                | connected        |         |                 |                                                    | 7.1.1 | the policy is for app=backend only |
| fqdn | 01-workloads, 02-egress-allow-fqdn  | fqdn-lab/backend  | name/neighbour.cloudyuga.guru:443 | connected        |         |                 |                                                    | ours  | the limit of the method: this name shares kubernetes.io's address, and addresses are what is opened |
""",
    source="cilium-fqdn#7.1.1",
    errata=[PIPED],
    cni="cilium",
)


@OUTCOMES.each_row
def test_fqdn(row: Row, observed: Reading) -> None:
    assert observed == row.outcome, row.why
