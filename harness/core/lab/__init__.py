"""A tutorial as data: outcome tables and their words, claims, CNI profiles, the status of a row.

No module in this package knows how a row is predicted or probed.
"""
