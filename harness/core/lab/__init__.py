"""A tutorial as data: outcome tables and their words, claims, CNI profiles, the status of a row.

Nothing in this room knows how a row is predicted or probed.
"""
