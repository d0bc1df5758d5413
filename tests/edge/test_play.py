"""A step of rows on the cluster: what breaks for one row is not the other rows' fault."""

from __future__ import annotations

from threading import Event
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.core.lab.documented import parse_table
from harness.core.observation import Answer, Observation
from harness.core.outcome import Outcome, Reading
from harness.core.predict.scenario import Prediction
from harness.edge.play import Play
from harness.edge.stage.bench import Bench
from harness.edge.stage.settling import Settled
from harness.edge.stage.stage import Entered
from harness.errors import ProbeError
from tests.fakes.clock import FakeClock

TABLE = """
step a: base

| from     | to              | tutorial says            | why |
|----------|-----------------|--------------------------|-----|
| shop/web | pod/shop/api:80 | connected                | why |
| shop/web | fact/policies   | shows none               | why |
| shop/web | fact/name-label | shows on every namespace | why |
"""
FLOW, BROKEN, GOOD = parse_table(TABLE, source="t#1").rows
SEEN = Answer(Observation(Reading(Outcome.CONNECTED)))


def observed(list_: Any) -> Play:
    scenario = cast("Any", SimpleNamespace(predict=lambda ask: Prediction(SEEN.unwrap().reading)))
    stage = SimpleNamespace(
        enter=lambda apply, **_: Entered(scenario, Settled(0.0, 0)),
        patience=1.0,
        observer=SimpleNamespace(read=lambda asks: dict.fromkeys(asks, SEEN)),
    )
    kube = SimpleNamespace(list=list_, clock=FakeClock())
    bench = Bench(cast("Any", kube), *[cast("Any", stage)] * 3)
    play = Play(cast("Any", stage), cast("Any", None), bench, (FLOW, BROKEN, GOOD))
    play.run(Event())
    return play


@pytest.mark.parametrize("fault", [ProbeError("no answer"), KeyError("spec")])
def test_one_fact_that_breaks_leaves_the_other_rows_their_verdicts(fault: Exception) -> None:
    def listing(_api: str, kind: str, *_: object) -> list[dict[str, Any]]:
        if kind == "Namespace":
            return []
        raise fault

    play = observed(listing)

    assert play.observe(FLOW).reading == Reading(Outcome.CONNECTED)
    assert play.observe(GOOD).reading == Reading(Outcome.SHOWS, "on every namespace")
    with pytest.raises(ProbeError) as caught:
        play.observe(BROKEN)
    assert str(fault) in str(caught.value)


def test_fault_of_a_measurement_itself_names_the_row_and_keeps_its_cause() -> None:
    play = observed(lambda *_: [{"metadata": {}}])

    with pytest.raises(ProbeError, match="the measurement of `fact/policies` broke") as caught:
        play.observe(BROKEN)

    assert caught.value.where == BROKEN.where
    assert isinstance(caught.value.__cause__, KeyError)
