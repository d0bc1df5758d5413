"""From the text of Kubernetes objects to values: YAML, the API's field rules, policies, workloads.

Here lives all that reads or checks a manifest. Nothing in this room judges a flow.
"""
