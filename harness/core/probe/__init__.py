"""What sockets showed, and what it means: attempts, greetings, observations, latencies, flips.

This room holds the judgement of probes, not the probing (that is `harness.edge.probe`).
"""
