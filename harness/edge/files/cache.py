"""Where policylab keeps what can be made again."""

from __future__ import annotations

import os
from pathlib import Path


def cache_home() -> Path:
    """The folder where policylab keeps what can be made again."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "policylab"
