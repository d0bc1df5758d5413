"""Phase 1: three web servers behind a Service, a debug pod, and no policy.

Kubernetes promises a flat network: every pod reaches every other one, at its own address. A policy takes
away from that. So first see everything work: a "failed" of a later phase means nothing without it.

The commands are the text's, with an end to their patience: without one, curl waits for minutes.
"""

from harness.core.lab.documented import Row
from harness.core.outcome import Reading
from harness.lab import documented

OUTCOMES = documented(
    """
| step | apply        | from                               | to                                   | outcome                        | command                                            | cite         | why                                                                           |
|------|--------------|------------------------------------|--------------------------------------|--------------------------------|----------------------------------------------------|--------------|-------------------------------------------------------------------------------|
| open | 01-workloads | prod-nginx/debug                   | lookup/my-nginx-clusterip            | resolved                       | dig +search +time=1 +tries=1 my-nginx-clusterip    | connectivity | the search list makes it a name of the own namespace                          |
| open | 01-workloads | prod-nginx/debug                   | name/my-nginx-clusterip:80           | connected                      | curl --connect-timeout 1 http://my-nginx-clusterip | connectivity | the Service by its short name                                                 |
| open | 01-workloads | prod-nginx/debug                   | svc/prod-nginx/my-nginx-clusterip:80 | connected                      |                                                    | connectivity | the Service by its address: one of the three answers                          |
| open | 01-workloads | prod-nginx/debug                   | pod/prod-nginx/nginx-deployment-1:80 | connected                      |                                                    | connectivity | the text picks one of the pods; here is each of them                          |
| open | 01-workloads | prod-nginx/debug                   | pod/prod-nginx/nginx-deployment-2:80 | connected                      |                                                    | connectivity | the text picks one of the pods; here is each of them                          |
| open | 01-workloads | prod-nginx/debug                   | pod/prod-nginx/nginx-deployment-3:80 | connected                      |                                                    | connectivity | the text picks one of the pods; here is each of them                          |
| open | 01-workloads | prod-nginx/debug                   | name/cloudyuga.guru:80               | connected                      | curl --connect-timeout 1 http://cloudyuga.guru     | connectivity | and the world outside, by name                                                |
| open | 01-workloads | prod-nginx/nginx-deployment-1      | pod/prod-nginx/nginx-deployment-2:80 | connected                      |                                                    | intro        | every pod reaches every other one                                             |
| open | 01-workloads | prod-nginx/nginx-deployment-2      | pod/prod-nginx/nginx-deployment-3:80 | connected                      |                                                    | intro        | every pod reaches every other one                                             |
| open | 01-workloads | prod-nginx/nginx-deployment-3      | pod/prod-nginx/nginx-deployment-1:80 | connected                      |                                                    | intro        | every pod reaches every other one                                             |
| open | 01-workloads | prod-nginx/nginx-deployment-2      | pod/prod-nginx/nginx-deployment-1:80 | connected                      |                                                    | intro        | every pod reaches every other one                                             |
| open | 01-workloads | prod-nginx/nginx-deployment-3      | pod/prod-nginx/nginx-deployment-2:80 | connected                      |                                                    | intro        | every pod reaches every other one                                             |
| open | 01-workloads | prod-nginx/nginx-deployment-1      | pod/prod-nginx/nginx-deployment-3:80 | connected                      |                                                    | intro        | every pod reaches every other one                                             |
| open | 01-workloads | prod-nginx/nginx-deployment-1      | pod/prod-nginx/debug:80              | connected                      |                                                    | intro        | every pod reaches every other one                                             |
| open | 01-workloads | prod-nginx/nginx-deployment-2      | pod/prod-nginx/debug:80              | connected                      |                                                    | intro        | every pod reaches every other one                                             |
| open | 01-workloads | prod-nginx/nginx-deployment-3      | pod/prod-nginx/debug:80              | connected                      |                                                    | intro        | every pod reaches every other one                                             |
| open | 01-workloads | prod-nginx/nginx-deployment-1      | net/cloudyuga.guru:80                | connected                      |                                                    | default-deny | the servers may leave the cluster as well                                     |
| open | 01-workloads | prod-nginx/debug                   | fact/client-address                  | shows the client's own address |                                                    | intro        | nothing translates addresses between pods: each server logs the client itself |
| open | 01-workloads | prod-nginx/debug                   | fact/policies                        | shows none                     |                                                    | default-deny | by default there is no policy                                                 |
| open | 01-workloads | prod-nginx/deploy/nginx-deployment | svc/prod-nginx/my-nginx-clusterip:80 | connected                      |                                                    | ours         | a server is a client too, even of its own Service                             |
""",
    source="netpol-by-example#connectivity",
)


@OUTCOMES.each_row
def test_workloads(row: Row, observed: Reading) -> None:
    assert observed == row.outcome, row.why
