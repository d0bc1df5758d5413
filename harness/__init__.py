"""policylab: tutorials about Kubernetes network policy and DNS, made executable."""

__version__ = "0.1.0"
