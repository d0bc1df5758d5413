"""A flow that differs from its prediction is asked once more, and never passes because of that."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from harness.core.model import PodRef, Protocol
from harness.core.observation import Answer, Observation
from harness.core.outcome import Outcome, Reading
from harness.core.target import PodPort
from harness.core.target.ask import Ask
from harness.edge.stage.twice import Seen, asked_again
from harness.errors import ProbeError

SILENT, OPEN = Reading(Outcome.TIMEOUT), Reading(Outcome.CONNECTED)
ASK = Ask(PodRef("shop", "web"), PodPort(PodRef("shop", "db"), 80, Protocol.TCP))


def differs(_: Ask, seen: Seen) -> bool:
    return seen.value is not None and seen.value.reading != SILENT


@pytest.mark.parametrize(
    ("shown", "verdict"),
    [([SILENT], Outcome.TIMEOUT), ([OPEN, OPEN], Outcome.CONNECTED), ([OPEN, SILENT], None)],
    ids=["as predicted", "a difference that stays", "a difference that is gone"],
)
def test_difference_counts_only_if_it_is_there_twice(
    shown: list[Reading], verdict: Outcome | None
) -> None:
    fenced: list[int] = []

    def read(asks: Collection[Ask]) -> dict[Ask, Seen]:
        assert fenced  # every change is in force before anything is asked again
        return {ask: Answer(Observation(shown[1])) for ask in asks}

    first = {ASK: Answer(Observation(shown[0]))}

    found = {**first, **asked_again(first, differs, read, lambda: fenced.append(1))}[ASK]

    assert len(fenced) == len(shown) - 1
    if verdict is None:
        with pytest.raises(ProbeError, match="the same twice") as caught:
            found.unwrap()
        assert caught.value.seen == "connected, and timeout when it was asked again"
    else:
        assert found.unwrap().reading.outcome is verdict


def test_everything_is_asked_again_for_a_flow_may_pass_only_beside_another() -> None:
    other = Ask(PodRef("shop", "cart"), ASK.target)
    asked: list[Collection[Ask]] = []

    def read(asks: Collection[Ask]) -> dict[Ask, Seen]:
        asked.append(asks)
        return {ask: Answer(Observation(OPEN if ask == ASK else SILENT)) for ask in asks}

    first = read([ASK, other])
    again = asked_again(first, differs, read, lambda: None)

    assert set(asked[1]) == {ASK, other}
    assert again == {ASK: first[ASK]}
