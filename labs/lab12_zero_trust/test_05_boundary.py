"""Phase 5: test the boundary, from the web server straight to the database.

A failed command proves a policy only if it fails *because of* the policy. The tutorial's own test
ends before any packet goes to the database: the name does not exist. Ask for the address, or give
the database a Service. Then the policy decides, and its answer is silence.
"""

from harness.lab import Erratum, documented

OUTCOMES = documented(
    """
step as-written: 01-workloads, 02-default-deny, 03-api-policy

| from                     | to                             | tutorial says | really       | why                       |
|--------------------------|--------------------------------|---------------|--------------|---------------------------|
| frontend-zone/web-server | name/secure-db.secure-zone:80  | timeout       | dns_nxdomain | [boundary-no-name] no     |
|                          |                                |               |              | Service has this name     |
  $ curl --connect-timeout 2 secure-db.secure-zone
| frontend-zone/web-server | pod/secure-zone/secure-db:6379 | timeout       |              | default-deny-all selects  |
|                          |                                |               |              | the database, and no rule |
|                          |                                |               |              | lets frontend-zone in     |

step no-policies: 01-workloads

| from                     | to                            | tutorial says | why                                       |
|--------------------------|-------------------------------|---------------|-------------------------------------------|
| frontend-zone/web-server | name/secure-db.secure-zone:80 | dns_nxdomain  | [ours] the answer is the same without any |
|                          |                               |               | policy                                    |
  $ curl --connect-timeout 2 secure-db.secure-zone

step with-service: 01-workloads, 02-default-deny, 03-api-policy, 05-db-service

| from                     | to                | tutorial says | really            | why                         |
|--------------------------|-------------------|---------------|-------------------|-----------------------------|
| frontend-zone/web-server | name/secure-db    | timeout       | cni:unserved_port | [boundary-port-80] the name |
|                          | .secure-zone:80   |               |                   | exists now, but the Service |
|                          |                   |               |                   | does not have port 80       |
  $ curl --connect-timeout 2 secure-db.secure-zone
| frontend-zone/web-server | name/secure-db    | timeout       |                   | [ours] this test does show  |
|                          | .secure-zone:6379 |               |                   | the policy                  |
  $ curl --connect-timeout 2 secure-db.secure-zone:6379
""",
    source="lab12-zero-trust#6.1",
    errata=[
        Erratum(
            id="boundary-no-name",
            wrong="curl to secure-db.secure-zone ends in a connection timeout, which shows that the policy "
            "works",
            why="no Service is called secure-db, so curl ends at once with exit code 6 (name not resolved). "
            "It does the same without any policy, so it proves nothing",
            corrected="05-db-service, and the port of the database: curl --connect-timeout 2 "
            "secure-db.secure-zone:6379",
        ),
        Erratum(
            id="boundary-port-80",
            wrong="once the name exists, curl to secure-db.secure-zone times out",
            why="curl asks for port 80, and the Service has port 6379 only. With or without policies, the "
            "Service's proxy decides: with Calico it refuses the connection; with Cilium it drops the "
            "packets, and this silence looks like the silence of a policy",
            corrected="name the port of the database: curl --connect-timeout 2 secure-db.secure-zone:6379",
        ),
    ],
)


@OUTCOMES.each_row
def test_boundary(row, observed):
    assert observed == row.outcome, row.why
