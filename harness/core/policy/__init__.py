"""The meaning of network policies: selectors, the oracle, its reasons, who may reach whom.

Here lives all that judges a flow by policies as values. Nothing in this room reads a manifest,
knows DNS, or knows how a cluster is probed. Labs, predictions, fuzz and commands may call it.
"""
