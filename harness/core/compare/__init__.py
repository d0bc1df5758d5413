"""States of a cluster as a whole: who may reach whom, what changes between two, what is too much.

A closed world stands for every flow that the policies tell apart, so that a question about all
flows has an answer that can be worked out. No cluster is asked.
"""
