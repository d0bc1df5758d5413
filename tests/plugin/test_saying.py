"""What a test is told of several flows."""

from __future__ import annotations

import pytest

from harness.errors import ProbeError
from harness.plugin.reach.saying import SHOWN, Found, State, hold


def flows(state: State, number: int) -> list[tuple[Found, State]]:
    return [(Found(f"{state}-{n}", state, "because\nof it"), State.OPEN) for n in range(number)]


@pytest.mark.parametrize(
    ("number", "what"),
    [
        (1, "there is no verdict of without a verdict-0"),
        (2, "there is no verdict of without a verdict-0, and 1 more"),
    ],
)
def test_flows_without_a_verdict_are_counted(number: int, what: str) -> None:
    with pytest.raises(ProbeError) as caught:
        hold(flows(State.UNKNOWN, number))

    assert caught.value.what == what


def test_the_first_wrong_flow_is_explained_and_the_last_ones_are_counted() -> None:
    with pytest.raises(AssertionError) as caught:
        hold([*flows(State.BLOCKED, SHOWN + 1), *flows(State.UNKNOWN, 1)])

    told = str(caught.value).splitlines()
    assert told[:4] == [
        "blocked-0 is blocked, and the test wants: open",
        "  because",
        "  of it",
        "blocked-1 is blocked, and the test wants: open",
    ]
    assert told[-2:] == ["and 1 more", "there is no verdict of 1 more"]
    assert len(told) == SHOWN + 4
