"""What lint found, in its four forms: words, JSON, SARIF and annotations of GitHub.

Nothing in this room looks for a fault; it lays out what `harness.core.lint` found.
"""
