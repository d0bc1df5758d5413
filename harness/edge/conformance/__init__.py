"""Conformance on a live cluster: shipped cases, and measurements of the CNI's life, end in rows.

`cases/` and `topologies/` are data (`harness.core.conformance.reading`), which `running` brings to
a cluster. `lifecycle` and `flipping` measure over the constant stream of `constant`, on the pods of
`ground`.
"""
