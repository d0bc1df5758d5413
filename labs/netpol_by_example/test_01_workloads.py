"""Phase 1: three web servers behind a Service, a debug pod, and no policy.

Kubernetes promises a flat network: every pod reaches every other pod, at the other pod's own
address. A policy takes some of that away. So see everything work first: without this, a "failed" in
a later phase means nothing.

The commands are those of the tutorial, each with a time limit: without a limit, curl waits for
minutes.
"""

from harness.lab import documented

OUTCOMES = documented(
    """
step open: 01-workloads

| from             | to                                   | tutorial says | why                                      |
|------------------|--------------------------------------|---------------|------------------------------------------|
| prod-nginx/debug | lookup/my-nginx-clusterip            | resolved      | the search list makes the short name a   |
|                  |                                      |               | name of the pod's own namespace          |
  $ dig +search +time=1 +tries=1 my-nginx-clusterip
| prod-nginx/debug | name/my-nginx-clusterip:80           | connected     | the debug pod reaches the Service by its |
|                  |                                      |               | short name                               |
  $ curl --connect-timeout 1 http://my-nginx-clusterip
| prod-nginx/debug | svc/prod-nginx/my-nginx-clusterip:80 | connected     | the Service's address works too; one of  |
|                  |                                      |               | the three servers answers                |
| prod-nginx/debug | pod/prod-nginx/nginx-deployment-1:80 | connected     | the tutorial tries one of the pods; this |
|                  |                                      |               | lab tries each of them                   |
| prod-nginx/debug | pod/prod-nginx/nginx-deployment-2:80 | connected     | the tutorial tries one of the pods; this |
|                  |                                      |               | lab tries each of them                   |
| prod-nginx/debug | pod/prod-nginx/nginx-deployment-3:80 | connected     | the tutorial tries one of the pods; this |
|                  |                                      |               | lab tries each of them                   |

| from                          | to                                   | tutorial says | why                        |
|-------------------------------|--------------------------------------|---------------|----------------------------|
| prod-nginx/debug              | name/cloudyuga.guru:80               | connected     | the debug pod reaches the  |
|                               |                                      |               | world outside, by name     |
  $ curl --connect-timeout 1 http://cloudyuga.guru
| prod-nginx/nginx-deployment-1 | pod/prod-nginx/nginx-deployment-2:80 | connected     | [intro] every pod reaches  |
|                               |                                      |               | every other pod            |
| prod-nginx/nginx-deployment-2 | pod/prod-nginx/nginx-deployment-3:80 | connected     | [intro] every pod reaches  |
|                               |                                      |               | every other pod            |
| prod-nginx/nginx-deployment-3 | pod/prod-nginx/nginx-deployment-1:80 | connected     | [intro] every pod reaches  |
|                               |                                      |               | every other pod            |
| prod-nginx/nginx-deployment-2 | pod/prod-nginx/nginx-deployment-1:80 | connected     | [intro] every pod reaches  |
|                               |                                      |               | every other pod            |
| prod-nginx/nginx-deployment-3 | pod/prod-nginx/nginx-deployment-2:80 | connected     | [intro] every pod reaches  |
|                               |                                      |               | every other pod            |
| prod-nginx/nginx-deployment-1 | pod/prod-nginx/nginx-deployment-3:80 | connected     | [intro] every pod reaches  |
|                               |                                      |               | every other pod            |
| prod-nginx/nginx-deployment-1 | pod/prod-nginx/debug:80              | connected     | [intro] every pod reaches  |
|                               |                                      |               | every other pod            |
| prod-nginx/nginx-deployment-2 | pod/prod-nginx/debug:80              | connected     | [intro] every pod reaches  |
|                               |                                      |               | every other pod            |
| prod-nginx/nginx-deployment-3 | pod/prod-nginx/debug:80              | connected     | [intro] every pod reaches  |
|                               |                                      |               | every other pod            |
| prod-nginx/nginx-deployment-1 | net/cloudyuga.guru:80                | connected     | [default-deny] the servers |
|                               |                                      |               | may leave the cluster too  |

| from             | to                  | tutorial says      | why                                                |
|------------------|---------------------|--------------------|----------------------------------------------------|
| prod-nginx/debug | fact/client-address | shows the client's | [intro] nothing translates addresses between pods: |
|                  |                     | own address        | each server logs the client's own                  |
| prod-nginx/debug | fact/policies       | shows none         | [default-deny] by default there is no policy       |

| from                               | to                                   | tutorial says | why                     |
|------------------------------------|--------------------------------------|---------------|-------------------------|
| prod-nginx/deploy/nginx-deployment | svc/prod-nginx/my-nginx-clusterip:80 | connected     | [ours] a server is a    |
|                                    |                                      |               | client too, even of its |
|                                    |                                      |               | own Service             |
""",
    source="netpol-by-example#connectivity",
)


@OUTCOMES.each_row
def test_workloads(row, observed):
    assert observed == row.outcome, row.why
