"""A prober whose agents run on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.edge.probe.streams import StreamProber
from tests.edge.probe.standin import kubectl


@pytest.fixture
def prober(tmp_path: Path) -> Iterator[StreamProber]:
    with StreamProber(kubectl(tmp_path), tmp_path / "config") as made:
        yield made
