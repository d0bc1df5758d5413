"""A tutorial as data: outcome tables, claims, CNI profiles, and the status of a row.

Nothing in this room knows how a row is predicted or probed.
"""
