"""Phase 4: try to break the rules, as the text does.

A test proves a policy only if it would have succeeded without it. The text's own command asks for a
Service that `develop` does not have, so curl stops at the name, policies or not. With the database's
whole name the same command is a proof: it connects on the flat network, and is silent afterwards.
"""

from harness.lab import Erratum, documented

OUTCOMES = documented(
    """
step baseline: 01-workloads, 02-default-deny, 03-allow-backend-ingress, 03-allow-dns-egress

| from             | to                                 | tutorial says | really       | why                           |
|------------------|------------------------------------|---------------|--------------|-------------------------------|
| develop/frontend | name/production-db:5432            | timeout       | dns_nxdomain | [no-such-name] the text takes |
|                  |                                    |               |              | the timeout as proof of       |
|                  |                                    |               |              | default deny                  |
  $ curl -I http://production-db:5432
| develop/frontend | name/production-db.production:5432 | timeout       |              | the name with its namespace   |
|                  |                                    |               |              | resolves, and then the policy |
|                  |                                    |               |              | answers with silence          |
  $ curl -I --connect-timeout 2 http://production-db.production:5432
| develop/frontend | pod/production/production-db:5432  | timeout       |              | the same by address, without  |
|                  |                                    |               |              | DNS                           |
| develop/debug    | pod/production/production-db:5432  | timeout       |              | [1] and from the compromised  |
|                  |                                    |               |              | pod of the first section      |

step flat: 01-workloads

| from             | to                      | tutorial says | why                                                     |
|------------------|-------------------------|---------------|---------------------------------------------------------|
| develop/frontend | name/production-db:5432 | dns_nxdomain  | [ours] the very same answer without any policy, so it   |
|                  |                         |               | proves nothing                                          |
  $ curl -I http://production-db:5432
| develop/frontend | name/production-db      | connected     | [ours] without policies the corrected test gets through |
|                  | .production:5432        |               | to the database, whose answer is no HTTP                |
  $ curl -I --connect-timeout 2 http://production-db.production:5432
""",
    source="production-isolation#5",
    errata=[
        Erratum(
            id="no-such-name",
            wrong="curl to production-db from a frontend of develop times out, which proves that default "
            "deny is active",
            why="a short name is looked up in the pod's own namespace, and develop has no Service of that "
            "name: curl ends within milliseconds with exit code 6, with and without policies, and no "
            "packet is sent to the database",
            corrected="ask for production-db.production, with a limit: curl -I --connect-timeout 2 "
            "http://production-db.production:5432",
        ),
    ],
)


@OUTCOMES.each_row
def test_verification(row, observed):
    assert observed == row.outcome, row.why
