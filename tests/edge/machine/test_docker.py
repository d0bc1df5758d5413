"""The one door to Docker's engine: what it asks, and what it makes of the answers."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any, NoReturn

import pytest

import harness
from harness.edge.machine.docker import Docker
from harness.edge.machine.patience import PATIENCE
from harness.edge.machine.process import CommandFailed
from harness.errors import EnvironmentFault, ToolMissing
from tests.fakes.docker import FakeEngine

HOME = Path(harness.__file__).parent


def starts_docker(path: Path) -> bool:
    return any(
        isinstance(node, ast.List)
        and node.elts
        and isinstance(node.elts[0], ast.Constant)
        and node.elts[0].value == "docker"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    )


def test_no_other_module_starts_docker() -> None:
    found = {str(path.relative_to(HOME)) for path in HOME.rglob("*.py") if starts_docker(path)}

    # nodes.py names the command in the words of an error.
    assert found == {"edge/machine/docker.py", "edge/cluster/nodes.py"}


def test_thing_that_the_engine_does_not_have_is_none() -> None:
    engine = FakeEngine()
    engine.networks["kind"] = {"Name": "kind"}

    assert engine.docker.inspect("network", "kind") == {"Name": "kind"}
    assert engine.docker.inspect("network", "other") is None


def test_engine_that_does_not_say_is_not_an_absent_thing() -> None:
    engine = FakeEngine()
    engine.broken = "permission denied"

    with pytest.raises(EnvironmentFault, match="does not say whether there is a network kind"):
        engine.docker.inspect("network", "kind")


def test_command_that_must_succeed_says_for_what_it_was_needed() -> None:
    engine = FakeEngine(lambda _: (1, "", "no space left"))

    with pytest.raises(EnvironmentFault, match="the cage cannot be made") as caught:
        engine.docker.demand("the cage cannot be made", "run", "cage", try_="make room")

    assert (caught.value.seen, caught.value.try_) == ("no space left", "make room")


def test_no_engine_has_no_version() -> None:
    def none(*_: Any, **__: Any) -> NoReturn:
        raise ToolMissing("cannot start docker")

    assert Docker(none).version() is None


def test_what_moves_gigabytes_gets_more_time(tmp_path: Path) -> None:
    engine = FakeEngine()

    engine.docker.tag("a", "b")
    engine.docker.load(tmp_path / "archive")

    assert engine.seconds == [PATIENCE.engine_answer, PATIENCE.engine_move]


def test_refusal_to_take_an_archive_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed):
        FakeEngine(lambda _: (1, "", "invalid tar")).docker.load(tmp_path / "archive")
