"""Phase 4: try to break the rules, as the text does.

A test proves a policy only if it would have succeeded without it. The text's own command asks for a
Service that `develop` does not have, so curl stops at the name, policies or not. With the database's
whole name the same command is a proof: it connects on the flat network, and is silent afterwards.
"""

from harness.core.lab.documented import Row
from harness.core.outcome import Reading
from harness.lab import Erratum, documented

NO_SUCH_NAME = Erratum(
    id="no-such-name",
    wrong="curl to production-db from a frontend of develop times out, which proves that default deny is active",
    why="a short name is looked up in the pod's own namespace, and develop has no Service of that name: curl ends "
    "within milliseconds with exit code 6, with and without policies, and no packet is sent to the database",
    corrected="ask for production-db.production, with a limit: curl -I --connect-timeout 2 http://production-db.production:5432",
)

OUTCOMES = documented(
    """
| step     | apply                                                                        | from             | to                                 | outcome      | actual       | erratum      | command                                                          | cite | why |
|----------|------------------------------------------------------------------------------|------------------|------------------------------------|--------------|--------------|--------------|------------------------------------------------------------------|------|-----|
| baseline | 01-workloads, 02-default-deny, 03-allow-backend-ingress, 03-allow-dns-egress | develop/frontend | name/production-db:5432            | timeout      | dns_nxdomain | no-such-name | curl -I http://production-db:5432                                | 5    | the text takes the timeout as proof of default deny |
| baseline | 01-workloads, 02-default-deny, 03-allow-backend-ingress, 03-allow-dns-egress | develop/frontend | name/production-db.production:5432 | timeout      |              |              | curl -I --connect-timeout 2 http://production-db.production:5432 | 5    | the name with its namespace resolves, and then the policy answers with silence |
| baseline | 01-workloads, 02-default-deny, 03-allow-backend-ingress, 03-allow-dns-egress | develop/frontend | pod/production/production-db:5432  | timeout      |              |              |                                                                  | 5    | the same by address, without DNS |
| baseline | 01-workloads, 02-default-deny, 03-allow-backend-ingress, 03-allow-dns-egress | develop/debug    | pod/production/production-db:5432  | timeout      |              |              |                                                                  | 1    | and from the compromised pod of the first section |
| flat     | 01-workloads                                                                 | develop/frontend | name/production-db:5432            | dns_nxdomain |              |              | curl -I http://production-db:5432                                | ours | the very same answer without any policy, so it proves nothing |
| flat     | 01-workloads                                                                 | develop/frontend | name/production-db.production:5432 | connected    |              |              | curl -I --connect-timeout 2 http://production-db.production:5432 | ours | without policies the corrected test gets through to the database, whose answer is no HTTP |
""",
    source="production-isolation#5",
    errata=[NO_SUCH_NAME],
)


@OUTCOMES.each_row
def test_verification(row: Row, observed: Reading) -> None:
    assert observed == row.outcome, row.why
