"""Which process of pytest-xdist runs which test: all rows of a tutorial run in one process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling


class ByTutorial(LoadScopeScheduling):  # type: ignore[misc]  # pytest-xdist has no types
    """Rows of one tutorial stay together and in order; any free process takes any other test.

    `tutorials` maps the id of a row's test to the row's tutorial.
    """

    def __init__(self, config: pytest.Config, log: Any, tutorials: Mapping[str, str]) -> None:
        super().__init__(config, log)
        self._tutorials = tutorials

    def _split_scope(self, nodeid: str) -> str:
        return self._tutorials.get(nodeid, nodeid)
