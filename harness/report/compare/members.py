"""A class of ends for programs."""

from __future__ import annotations

from typing import Any

from harness.core.compare.world import EndClass


def as_json(end: EndClass) -> dict[str, Any]:
    """What the class is, who is in it, and which addresses."""
    return {
        "kind": str(end.kind),
        "names": list(end.names),
        "networks": [str(network) for network in end.networks],
    }
