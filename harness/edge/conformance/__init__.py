"""Conformance on a live cluster: cases, and measurements of the CNI's life, end in rows."""
