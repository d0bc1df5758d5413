"""What the live tests share: a stage for the manifests of a file, and the order of the tests.

The order does not matter but for one thing. A test that starts `pytest labs/` as a student would
needs the gate's canaries, which this session holds from the first test that uses its cluster to the
end. So those tests come first, and no file needs a number.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.edge.stage.stage import Stage
from harness.plays import Live
from tests.live.stages import stage_on


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests that use this session's cluster behind those that do not."""
    items.sort(key=lambda item: "lab_live" in getattr(item, "fixturenames", ()))


@pytest.fixture(scope="module")
def stage(request: pytest.FixtureRequest, lab_live: Live) -> Iterator[Stage]:
    """A stage for the file's LIBRARY, with its pods running and no policy in force."""
    with stage_on(lab_live, request.module.LIBRARY) as made:
        made.enter(["pods"])
        yield made
