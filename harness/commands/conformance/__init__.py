"""`policylab conformance`: whether a CNI does what the NetworkPolicy API says, on any cluster.

`verb` has the options and the end of a run, `choosing` what is run, `doing` the run itself, and
`writing` its files, `telling` its end. `merging` puts the reports of shards together.
"""

from harness.commands.conformance.verb import add_parser

__all__ = ["add_parser"]
