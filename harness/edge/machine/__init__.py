"""This machine: processes, locks, waits, Debian's packages and its Docker engine.

Every other package of the edge may import this package.
"""
