"""Phase 5: try the boundary, from the web server straight to the database.

A failed command proves a policy only if it fails *because of* the policy. The text's own test ends
before any packet goes to the database: the name does not exist. Ask for the address, or give the
database a Service, and the policy is what answers: with silence.
"""

from harness.lab import Erratum, documented

OUTCOMES = documented(
    """
step as-written: 01-workloads, 02-default-deny, 03-api-policy

| from                     | to                             | tutorial says | really       | why                      |
|--------------------------|--------------------------------|---------------|--------------|--------------------------|
| frontend-zone/web-server | name/secure-db.secure-zone:80  | timeout       | dns_nxdomain | [boundary-no-name] the   |
|                          |                                |               |              | text's own test          |
  $ curl --connect-timeout 2 secure-db.secure-zone
| frontend-zone/web-server | pod/secure-zone/secure-db:6379 | timeout       |              | default-deny-all selects |
|                          |                                |               |              | the database and no rule |
|                          |                                |               |              | lets frontend-zone in    |

step no-policies: 01-workloads

| from                     | to                            | tutorial says | why                                      |
|--------------------------|-------------------------------|---------------|------------------------------------------|
| frontend-zone/web-server | name/secure-db.secure-zone:80 | dns_nxdomain  | [ours] the same answer with no policy at |
|                          |                               |               | all                                      |
  $ curl --connect-timeout 2 secure-db.secure-zone

step with-service: 01-workloads, 02-default-deny, 03-api-policy, 05-db-service

| from                     | to                | tutorial says | really            | why                       |
|--------------------------|-------------------|---------------|-------------------|---------------------------|
| frontend-zone/web-server | name/secure-db    | timeout       | cni:unserved_port | [boundary-port-80] the    |
|                          | .secure-zone:80   |               |                   | text's own test, once the |
|                          |                   |               |                   | name exists               |
  $ curl --connect-timeout 2 secure-db.secure-zone
| frontend-zone/web-server | name/secure-db    | timeout       |                   | [ours] the test that does |
|                          | .secure-zone:6379 |               |                   | show the policy           |
  $ curl --connect-timeout 2 secure-db.secure-zone:6379
""",
    source="lab12-zero-trust#6.1",
    errata=[
        Erratum(
            id="boundary-no-name",
            wrong="curl to secure-db.secure-zone ends in a connection timeout, which shows the policy at "
            "work",
            why="no Service is called secure-db, so curl ends at once with exit code 6, name not resolved; "
            "it does so without any policy as well, and therefore proves nothing",
            corrected="05-db-service, and the database's port: curl --connect-timeout 2 "
            "secure-db.secure-zone:6379",
        ),
        Erratum(
            id="boundary-port-80",
            wrong="with the name in place, curl to secure-db.secure-zone times out",
            why="curl asks for port 80, and the Service has 6379 only: what answers is the Service's proxy, "
            "policy or not. With Calico it refuses; with Cilium nothing comes back, and the silence "
            "looks like a policy's",
            corrected="name the database's port: curl --connect-timeout 2 secure-db.secure-zone:6379",
        ),
    ],
)


@OUTCOMES.each_row
def test_boundary(row, observed):
    assert observed == row.outcome, row.why
