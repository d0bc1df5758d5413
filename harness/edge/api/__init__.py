"""Access to a cluster: the Kubernetes API, kubectl, and the names of pods on the cluster.

Every package of the edge except `machine` and `files` may import it; it imports only `machine`.
"""
