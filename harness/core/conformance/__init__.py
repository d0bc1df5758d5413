"""Conformance: cases as data, the rows that a run makes of them, and what a run as a whole says.

A case is a topology, policies and the flows that they must give (`case`, `reading`, `expected`).
Every kind of check ends in a `row.Row`: a case, a set of drawn policies, a measurement. Who knows
only rows can report them, compare them with another run's, and hold them against deviations.
"""
