"""This machine: processes, locks, waits, Debian's packages and its Docker engine.

Every other room of the edge stands on this one.
"""
