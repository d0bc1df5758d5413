"""The cluster's doors: the Kubernetes API and kubectl, and the names by which both know pods.

Every room of the edge above this one may call it; it calls only the machine.
"""
