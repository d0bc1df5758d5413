"""Conformance on a live cluster: cases, and measurements of the CNI's life, end in rows.

`lifecycle` and `flipping` measure over the constant stream of `constant`, on the pods of `ground`.
"""
