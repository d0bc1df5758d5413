"""Measures a CNI while its life goes on: agents end, policies churn, pods are born, nodes go.

`lifecycle` makes the rows. They rest on the constant stream of `constant`, whose half in the pods
is `agent`, over the pods and policies of `ground`; `disturbing` does what happens, `birth` and
`flipping` measure new pods and new policies.
"""
