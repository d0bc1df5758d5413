"""Phase 4: try to break the rules, as the tutorial does.

A test proves a policy only if the test succeeds without the policy. The tutorial's own command asks
for a Service that `develop` does not have, so curl stops at the name, with or without policies.
With the database's whole name the same command is a proof: it connects on the flat network, and the
policy silences it.
"""

from harness.lab import Erratum, documented

OUTCOMES = documented(
    """
step baseline: 01-workloads, 02-default-deny, 03-allow-backend-ingress, 03-allow-dns-egress

| from             | to                                 | tutorial says | really       | why                           |
|------------------|------------------------------------|---------------|--------------|-------------------------------|
| develop/frontend | name/production-db:5432            | timeout       | dns_nxdomain | [no-such-name] develop has no |
|                  |                                    |               |              | Service of this name          |
  $ curl -I http://production-db:5432
| develop/frontend | name/production-db.production:5432 | timeout       |              | the whole name resolves, and  |
|                  |                                    |               |              | then the policy answers with  |
|                  |                                    |               |              | silence                       |
  $ curl -I --connect-timeout 2 http://production-db.production:5432
| develop/frontend | pod/production/production-db:5432  | timeout       |              | the address is silent too,    |
|                  |                                    |               |              | without DNS                   |
| develop/debug    | pod/production/production-db:5432  | timeout       |              | [1] the compromised pod of    |
|                  |                                    |               |              | section 1 meets silence too   |

step flat: 01-workloads

| from             | to                      | tutorial says | why                                                     |
|------------------|-------------------------|---------------|---------------------------------------------------------|
| develop/frontend | name/production-db:5432 | dns_nxdomain  | [ours] the answer is the same without any policy, so it |
|                  |                         |               | proves nothing                                          |
  $ curl -I http://production-db:5432
| develop/frontend | name/production-db      | connected     | [ours] without policies the corrected test reaches the  |
|                  | .production:5432        |               | database, whose answer is not HTTP                      |
  $ curl -I --connect-timeout 2 http://production-db.production:5432
""",
    source="production-isolation#5",
    errata=[
        Erratum(
            id="no-such-name",
            wrong="curl to production-db from a frontend of develop times out, which proves that default "
            "deny is active",
            why="the resolver looks up a short name in the pod's own namespace, and develop has no Service "
            "of this name. curl ends within milliseconds with exit code 6, with and without policies, "
            "and no packet goes to the database",
            corrected="ask for production-db.production, with a limit: curl -I --connect-timeout 2 "
            "http://production-db.production:5432",
        ),
    ],
)


@OUTCOMES.each_row
def test_verification(row, observed):
    assert observed == row.outcome, row.why
