"""Phase 1: three web servers behind a Service, a debug pod, and no policy.

Kubernetes promises a flat network: every pod reaches every other one, at its own address. A policy takes
away from that. So first see everything work: a "failed" of a later phase means nothing without it.

The commands are the text's, with an end to their patience: without one, curl waits for minutes.
"""

from harness.lab import documented

OUTCOMES = documented(
    """
step open: 01-workloads

| from                               | to                         | tutorial says      | why                           |
|------------------------------------|----------------------------|--------------------|-------------------------------|
| prod-nginx/debug                   | lookup/my-nginx-clusterip  | resolved           | the search list makes it a    |
|                                    |                            |                    | name of the own namespace     |
  $ dig +search +time=1 +tries=1 my-nginx-clusterip
| prod-nginx/debug                   | name/my-nginx-clusterip:80 | connected          | the Service by its short name |
  $ curl --connect-timeout 1 http://my-nginx-clusterip
| prod-nginx/debug                   | svc/prod-nginx             | connected          | the Service by its address:   |
|                                    | /my-nginx-clusterip:80     |                    | one of the three answers      |
| prod-nginx/debug                   | pod/prod-nginx             | connected          | the text picks one of the     |
|                                    | /nginx-deployment-1:80     |                    | pods; here is each of them    |
| prod-nginx/debug                   | pod/prod-nginx             | connected          | the text picks one of the     |
|                                    | /nginx-deployment-2:80     |                    | pods; here is each of them    |
| prod-nginx/debug                   | pod/prod-nginx             | connected          | the text picks one of the     |
|                                    | /nginx-deployment-3:80     |                    | pods; here is each of them    |
| prod-nginx/debug                   | name/cloudyuga.guru:80     | connected          | and the world outside, by     |
|                                    |                            |                    | name                          |
  $ curl --connect-timeout 1 http://cloudyuga.guru
| prod-nginx/nginx-deployment-1      | pod/prod-nginx             | connected          | [intro] every pod reaches     |
|                                    | /nginx-deployment-2:80     |                    | every other one               |
| prod-nginx/nginx-deployment-2      | pod/prod-nginx             | connected          | [intro] every pod reaches     |
|                                    | /nginx-deployment-3:80     |                    | every other one               |
| prod-nginx/nginx-deployment-3      | pod/prod-nginx             | connected          | [intro] every pod reaches     |
|                                    | /nginx-deployment-1:80     |                    | every other one               |
| prod-nginx/nginx-deployment-2      | pod/prod-nginx             | connected          | [intro] every pod reaches     |
|                                    | /nginx-deployment-1:80     |                    | every other one               |
| prod-nginx/nginx-deployment-3      | pod/prod-nginx             | connected          | [intro] every pod reaches     |
|                                    | /nginx-deployment-2:80     |                    | every other one               |
| prod-nginx/nginx-deployment-1      | pod/prod-nginx             | connected          | [intro] every pod reaches     |
|                                    | /nginx-deployment-3:80     |                    | every other one               |
| prod-nginx/nginx-deployment-1      | pod/prod-nginx/debug:80    | connected          | [intro] every pod reaches     |
|                                    |                            |                    | every other one               |
| prod-nginx/nginx-deployment-2      | pod/prod-nginx/debug:80    | connected          | [intro] every pod reaches     |
|                                    |                            |                    | every other one               |
| prod-nginx/nginx-deployment-3      | pod/prod-nginx/debug:80    | connected          | [intro] every pod reaches     |
|                                    |                            |                    | every other one               |
| prod-nginx/nginx-deployment-1      | net/cloudyuga.guru:80      | connected          | [default-deny] the servers    |
|                                    |                            |                    | may leave the cluster as well |
| prod-nginx/debug                   | fact/client-address        | shows the client's | [intro] nothing translates    |
|                                    |                            | own address        | addresses between pods: each  |
|                                    |                            |                    | server logs the client itself |
| prod-nginx/debug                   | fact/policies              | shows none         | [default-deny] by default     |
|                                    |                            |                    | there is no policy            |
| prod-nginx/deploy/nginx-deployment | svc/prod-nginx             | connected          | [ours] a server is a client   |
|                                    | /my-nginx-clusterip:80     |                    | too, even of its own Service  |
""",
    source="netpol-by-example#connectivity",
)


@OUTCOMES.each_row
def test_workloads(row, observed):
    assert observed == row.outcome, row.why
