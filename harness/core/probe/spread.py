"""Measured times, with their spread: one number alone would claim more than was measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles

from harness.errors import ProbeError


@dataclass(frozen=True, slots=True)
class Spread:
    """`n` times in milliseconds: their median, least and greatest, and the quartiles around it."""

    median: float
    minimum: float
    maximum: float
    q1: float
    q3: float
    n: int

    @classmethod
    def of(cls, times: Sequence[float]) -> Spread:
        """The spread of times in ms.

        Raises:
            ProbeError: nothing was measured.
        """
        if not times:
            raise ProbeError(
                "nothing was measured, so there are no times to compare",
                try_="measure at least once",
            )
        q1, _, q3 = quantiles(times, n=4, method="inclusive") if len(times) > 1 else [times[0]] * 3
        return cls(median(times), min(times), max(times), q1, q3, len(times))

    def as_evidence(self) -> dict[str, float]:
        """For `evidence["spread"][LABEL]` of an observation; the report draws it."""
        return {
            "median": self.median,
            "min": self.minimum,
            "max": self.maximum,
            "q1": self.q1,
            "q3": self.q3,
            "n": self.n,
        }

    def __str__(self) -> str:
        return f"{self.median:.1f} ms ({self.minimum:.1f}-{self.maximum:.1f}, n={self.n})"
