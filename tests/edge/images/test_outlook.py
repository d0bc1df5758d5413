"""What is left of a build, and for how long: never exact, always said."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.edge.images.keys import Keys, plan_keys
from harness.edge.images.outlook import ASSEMBLY, UNKNOWN, USUAL, Outlook, about, outlook_of
from harness.edge.images.recipe import read_recipes, recipes_home
from harness.edge.images.store import RECORD, Store
from tests.fakes.clock import FakeClock


def made(store: Store, name: str, key: str, seconds: object, day: int = 1) -> None:
    folder = store.path(name, key)
    folder.mkdir(parents=True)
    facts = {"seconds": seconds, "made": f"2026-11-{day:02}T10:00:00Z"}
    (folder / RECORD).write_text(json.dumps(facts), encoding="utf-8")


def test_longest_lane_and_the_assembly_decide() -> None:
    outlook = Outlook([{"a": 100.0, "b": 200.0}, {"c": 50.0}], FakeClock())
    assert outlook.seconds() == 300 + ASSEMBLY
    assert outlook.told() == "3 parts are still to be made; the images are ready in about 6 min"


def test_time_that_a_part_has_run_is_gone() -> None:
    clock = FakeClock()
    outlook = Outlook([{"a": 100.0, "b": 200.0}], clock)
    outlook.begin("a")
    clock.sleep(60)
    assert outlook.seconds() == 240 + ASSEMBLY
    clock.sleep(600)
    assert outlook.seconds() == 200 + ASSEMBLY


def test_slow_machine_is_noticed() -> None:
    clock = FakeClock()
    outlook = Outlook([{"a": 100.0, "b": 200.0}], clock)
    outlook.begin("a")
    clock.sleep(200)
    assert outlook.end("a") == "1 part is still to be made; the images are ready in about 8 min"
    assert outlook.seconds() == (200 + ASSEMBLY) * 2


def test_correction_is_bounded_and_needs_more_than_seconds() -> None:
    clock = FakeClock()
    outlook = Outlook([{"tiny": 1.0, "a": 100.0, "b": 200.0}], clock)
    outlook.begin("tiny")
    clock.sleep(20)
    outlook.end("tiny")
    assert outlook.seconds() == 300 + ASSEMBLY
    outlook.begin("a")
    outlook.end("a")
    assert outlook.seconds() == (200 + ASSEMBLY) * 0.25


def test_last_part_leaves_the_assembly() -> None:
    outlook = Outlook([{"a": 10.0}], FakeClock())
    outlook.begin("a")
    assert outlook.end("a") == "all parts are made; the images are ready in about 1 min"
    assert outlook.told() == ""


def test_part_that_was_there_before_says_nothing() -> None:
    outlook = Outlook([{"a": 10.0}], FakeClock())
    outlook.begin("b")
    assert outlook.end("b") == ""


def test_part_takes_as_long_as_it_took_here_before(tmp_path: Path) -> None:
    store = Store(tmp_path)
    made(store, "commands-kubernetes", "old", 900.0, day=2)
    made(store, "commands-kubernetes", "older", 100.0, day=1)
    made(store, "commands-cilium", "broken", "soon")
    made(store, "root-node", "there", 10.0)
    keys = Keys(
        {"kubernetes": "new", "cilium": "new"}, {"node": "there", "unheard": "new"}, {}, {}, "key"
    )
    outlook = outlook_of(store, keys, FakeClock())
    assert outlook.parts == 3
    assert outlook.seconds() == 900 + USUAL["commands-cilium"] + ASSEMBLY
    only = outlook_of(store, Keys({}, {"unheard": "new"}, {}, {}, "key"), FakeClock())
    assert only.seconds() == UNKNOWN + ASSEMBLY


def test_every_part_of_the_recipes_has_a_usual_time() -> None:
    recipes = read_recipes(recipes_home())
    digests = dict.fromkeys(recipes, "0")
    keys = plan_keys(recipes, digests)
    parts = [f"commands-{name}" for name in keys.commands]
    parts += [f"root-{name}" for name in keys.roots]
    assert sorted(parts) == sorted(USUAL)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "in less than a minute"),
        (44, "in less than a minute"),
        (46, "in about 1 min"),
        (100, "in about 2 min"),
        (1560, "in about 26 min"),
    ],
)
def test_time_is_told_in_minutes(seconds: float, words: str) -> None:
    assert about(seconds) == words
