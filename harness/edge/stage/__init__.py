"""Bringing a cluster to a state, and waiting until the state is in force."""
