"""Measurements of policylab on the running cluster: `make bench`, or `python -m benchmarks`."""
