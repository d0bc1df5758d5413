"""A watch's looks: when there is trouble, when it is over, and how long it lasted."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from harness.core.probe.rollback import Look, Trouble, noticed, over, resolution, window

FLOW, OTHER = frozenset({"a -> b"}), frozenset({"c -> d"})


def looks(text: str) -> list[Look]:
    """One look a letter, 100 ms apart and 40 ms long: `.` good, `o` outage, `l` leak."""
    return [
        Look(
            number / 10,
            number / 10 + 0.04,
            FLOW if letter in "ob" else OTHER if letter == "x" else frozenset(),
            FLOW if letter in "lb" else frozenset(),
        )
        for number, letter in enumerate(text)
    ]


def test_three_looks_running_are_trouble() -> None:
    assert noticed(looks("..ooo")) == {Trouble.OUTAGE: FLOW}
    assert noticed(looks("..lll")) == {Trouble.LEAK: FLOW}


def test_a_look_that_stands_alone_is_no_trouble() -> None:
    assert noticed(looks("o.o.o")) == {}
    assert noticed(looks("oo")) == {}


def test_different_flows_in_turn_are_no_trouble() -> None:
    assert noticed(looks("oxo")) == {}


def test_outage_and_leak_at_once_are_both_noticed() -> None:
    assert set(noticed(looks("bbb"))) == {Trouble.OUTAGE, Trouble.LEAK}


def test_trouble_is_over_after_three_good_looks() -> None:
    assert over(looks("ooo..."))
    assert not over(looks("ooo.."))
    assert not over(looks("ooo.l."))


def test_window_goes_from_the_first_bad_look_to_the_first_good_one() -> None:
    found = window(looks("...oooo..."), Trouble.OUTAGE)

    assert found is not None
    assert (found.ms, found.at_least, found.at_most) == (400.0, 260.0, 540.0)


def test_window_of_a_trouble_that_never_was_is_none() -> None:
    assert window(looks("..oo.."), Trouble.LEAK) is None


def test_resolution_is_the_longest_gap() -> None:
    found = [Look(0.0, 0.1), Look(0.1, 0.2), Look(0.5, 0.6)]

    assert resolution(found) == 400.0


@given(st.text("o.", min_size=1, max_size=12), st.floats(0.0, 0.05), st.floats(0.05, 0.5))
def test_window_lies_within_its_bounds(text: str, took: float, gap: float) -> None:
    found = [
        Look(number * gap, number * gap + took, FLOW if letter == "o" else frozenset())
        for number, letter in enumerate(f".{text}.")
    ]

    lasted = window(found, Trouble.OUTAGE)

    assert (lasted is None) == ("o" not in text)
    if lasted:
        assert lasted.at_least <= lasted.ms + 0.1
        assert lasted.ms <= lasted.at_most + 0.1
