"""Faults that are planted between the API and the agent: the fuzz's cases find every one."""

from __future__ import annotations

import pytest

from tests.fakes.faults import FAULTS, Fault
from tests.planted import HONEST, find

SEED = 1


def test_at_least_twenty_faults_are_planted() -> None:
    assert len({fault.name for fault in FAULTS}) >= 20


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_planted_fault_is_found(fault: Fault) -> None:
    assert find(fault, SEED)


def test_nothing_is_found_where_nothing_is_planted() -> None:
    assert find(HONEST, SEED, policies=60, look=lambda j: j.disagreed or j.no_verdict) is None
