"""A kind cluster: made, re-used, found, described and deleted."""
