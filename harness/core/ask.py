"""A flow as a person asks for it: who asks, and whom, over what."""

from __future__ import annotations

from dataclasses import dataclass

from harness.core.target import PodRef, Target


@dataclass(frozen=True, slots=True)
class Ask:
    """A question to the policies or to the cluster: `source` asks, `target` says whom, over what.

    Tables, command lines and lists of flows are read into asks; the oracle answers them (it knows
    what a Service or a name stands for), the prober puts them to the cluster, and matrices and
    results are keyed by them. It prints as tables write it: `shop/web -> pod/shop/api:80`.
    """

    source: PodRef
    target: Target

    def __str__(self) -> str:
        return f"{self.source} -> {self.target}"
