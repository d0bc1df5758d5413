"""Probing from pods: the agent in the pod, its stream, rounds, matrices, replayed commands."""
