"""Phase 5: try the boundary, from the web server straight to the database.

A failed command proves a policy only if it fails *because of* the policy. The text's own test ends
before any packet goes to the database: the name does not exist. Ask for the address, or give the
database a Service, and the policy is what answers: with silence.
"""

from harness.core.lab.documented import Row
from harness.core.outcome import Reading
from harness.lab import Erratum, documented

NO_NAME = Erratum(
    id="boundary-no-name",
    wrong="curl to secure-db.secure-zone ends in a connection timeout, which shows the policy at work",
    why="no Service is called secure-db, so curl ends at once with exit code 6, name not resolved; it does so "
    "without any policy as well, and therefore proves nothing",
    corrected="05-db-service, and the database's port: curl --connect-timeout 2 secure-db.secure-zone:6379",
)
NO_PORT = Erratum(
    id="boundary-port-80",
    wrong="with the name in place, curl to secure-db.secure-zone times out",
    why="curl asks for port 80, and the Service has 6379 only: what answers is the Service's proxy, policy or "
    "not. With Calico it refuses; with Cilium nothing comes back, and the silence looks like a policy's",
    corrected="name the database's port: curl --connect-timeout 2 secure-db.secure-zone:6379",
)

OUTCOMES = documented(
    """
| step         | apply                                                       | from                     | to                              | outcome | actual       | erratum          | command                                         | cite | why |
|--------------|-------------------------------------------------------------|--------------------------|---------------------------------|---------|--------------|------------------|-------------------------------------------------|------|-----|
| as-written   | 01-workloads, 02-default-deny, 03-api-policy                | frontend-zone/web-server | name/secure-db.secure-zone:80   | timeout | dns_nxdomain | boundary-no-name | curl --connect-timeout 2 secure-db.secure-zone  | 6.1  | the text's own test |
| as-written   | 01-workloads, 02-default-deny, 03-api-policy                | frontend-zone/web-server | pod/secure-zone/secure-db:6379  | timeout |              |                  |                                                 | 6.1  | default-deny-all selects the database and no rule lets frontend-zone in |
| no-policies  | 01-workloads                                                | frontend-zone/web-server | name/secure-db.secure-zone:80   | dns_nxdomain |         |                  | curl --connect-timeout 2 secure-db.secure-zone  | ours | the same answer with no policy at all |
| with-service | 01-workloads, 02-default-deny, 03-api-policy, 05-db-service | frontend-zone/web-server | name/secure-db.secure-zone:80   | timeout | cni:unserved_port | boundary-port-80 | curl --connect-timeout 2 secure-db.secure-zone  | 6.1  | the text's own test, once the name exists |
| with-service | 01-workloads, 02-default-deny, 03-api-policy, 05-db-service | frontend-zone/web-server | name/secure-db.secure-zone:6379 | timeout |              |                  | curl --connect-timeout 2 secure-db.secure-zone:6379 | ours | the test that does show the policy |
""",
    source="lab12-zero-trust#6.1",
    errata=[NO_NAME, NO_PORT],
)


@OUTCOMES.each_row
def test_boundary(row: Row, observed: Reading) -> None:
    assert observed == row.outcome, row.why
