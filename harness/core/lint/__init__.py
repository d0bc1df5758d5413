"""Lint: what is probably wrong with policies, each fault with a flow that shows it.

Here lives all that looks for faults in a state of manifests: the state itself (`ground`), a table
of rules (`table`), a module for each subject of rules, and the comments that ignore a finding. The
oracle decides each flow that a finding shows. Commands and reports may call it; nothing here reads
a file or knows how a finding is printed.
"""
