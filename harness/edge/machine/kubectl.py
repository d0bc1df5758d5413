"""The version of a kubectl on this machine."""

from __future__ import annotations

import json
from pathlib import Path

from harness.edge.machine.process import run
from harness.errors import HarnessError


def kubectl_version(kubectl: Path, seconds: float) -> str:
    """Its version, e.g. v1.37.2; empty if it does not say so within these seconds."""
    try:
        told = run([kubectl, "version", "--client", "--output=json"], timeout=seconds).stdout
        return str(json.loads(told)["clientVersion"]["gitVersion"])
    except (HarnessError, ValueError, KeyError, TypeError):
        return ""
