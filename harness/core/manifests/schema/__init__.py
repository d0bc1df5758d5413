"""The shapes of Kubernetes objects: which fields there are, and which of them decide a flow.

A kind that decides is read strictly: an unknown field is a fault, as for the API server. Of all
others only what decides is read, and the rest is passed over and named.
"""
