"""Cyclonus beside policylab: the same policies on the same cluster, one after the other.

`output` reads the text that Cyclonus prints, `cases` turns it into cases of policylab, `comparing`
counts, and `__main__` runs both.
"""
