"""The middle column: what manifests, policies and DNS together say that a client will see.

This room joins `policy`, `manifests` and `dns`; nothing in it has seen a cluster.
"""
