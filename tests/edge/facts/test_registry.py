"""One registry: each fact of the core has one measurement, which takes the ends that it names."""

from __future__ import annotations

import inspect
from functools import partial
from typing import get_args

import pytest

from harness.core.target import (
    FACTS,
    Blocked,
    Fact,
    Measured,
    NamePort,
    Needs,
    PodPort,
    PodRef,
    Questions,
    ResolverOption,
    Rollout,
)
from harness.core.target.facts import Ends
from harness.edge.facts.commands import COMMANDS
from harness.edge.facts.registry import MEASUREMENTS

TYPES: dict[Ends, list[type]] = {
    Ends.NOTHING: [],
    Ends.HOST: [str],
    Ends.NAME_PORT: [NamePort],
    Ends.NAME_PORT_AND_POD: [NamePort, PodRef],
    Ends.POD_PORT: [PodPort],
}


def test_every_fact_is_measured_and_nothing_else() -> None:
    assert set(MEASUREMENTS) == set(FACTS)


def test_facts_that_read_a_command_are_those_that_need_one() -> None:
    assert set(COMMANDS) == {name for name, kind in FACTS.items() if kind.needs is Needs.COMMAND}


@pytest.mark.parametrize("name", FACTS)
def test_measurement_takes_the_ends_of_its_fact(name: str) -> None:
    measurement = MEASUREMENTS[name]
    if isinstance(measurement, partial):
        measurement = measurement.func
    parameters = inspect.signature(measurement, eval_str=True).parameters.values()
    taken = [p.annotation for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]

    assert taken[2:] == TYPES[FACTS[name].ends]


def test_every_kind_of_target_that_is_measured_is_dispatched_by_its_type() -> None:
    assert set(get_args(Measured)) == {Questions, ResolverOption, Blocked, Rollout, Fact}
