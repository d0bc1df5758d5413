"""Probers of nodes: one agent a node that opens its sockets in the network namespaces of the pods.

An agent in each pod costs a `kubectl exec`, a process of the runtime and a Python for each of them;
150 of them starve a machine of two cores. A node's agent costs that once. Its sockets are made in
the pod's network namespace, so that address, policies and routes are the pod's own. It is a pod
of policylab with the node's process namespace and two capabilities (to find a namespace, and to
enter it): it is for clusters that policylab made, and it is deleted at the end.

One difference remains: a CNI that acts on control groups (Cilium's load balancer of sockets) sees
the agent's, and not the pod's. policylab's clusters have that switched off.
"""
