"""The Domain Name System: questions, search lists, the cluster's zone, messages on the wire.

Nothing in this room knows policies or manifests. Predictions and the probing edge may call it.
"""
