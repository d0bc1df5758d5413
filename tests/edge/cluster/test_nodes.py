"""kind's nodes as containers: their names, their ids, and those that come late."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from harness.edge.cluster import nodes
from harness.edge.machine.process import Completed
from harness.errors import ClusterNotReady

NODE = "lab-control-plane"
CONFLICT = f'Conflict. The container name "/{NODE}" is already in use by container "5f2a"'


class Engine:
    """Answers `docker create` with what is on the list, the last for ever."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.ran: list[tuple[str, ...]] = []

    def __call__(self, argv: Sequence[str | Path], **_: Any) -> Completed:
        words = tuple(str(word) for word in argv)
        self.ran.append(words)
        said = ""
        if words[1] == "create":
            said = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return Completed(words, 1 if said else 0, "b\na\n", said, 0.0)

    def verbs(self) -> list[str]:
        return [words[1] for words in self.ran]


def engine(monkeypatch: pytest.MonkeyPatch, *answers: str) -> Engine:
    made = Engine(*answers)
    monkeypatch.setattr(nodes, "run", made)
    return made


@pytest.mark.parametrize(
    ("workers", "names"),
    [
        (0, [NODE]),
        (1, [NODE, "lab-worker"]),
        (3, [NODE, "lab-worker", "lab-worker2", "lab-worker3"]),
    ],
)
def test_nodes_have_the_names_that_kind_gives(workers: int, names: list[str]) -> None:
    assert nodes.node_names("lab", workers) == names


def test_nodes_are_found_by_the_label_of_kind_stopped_ones_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    docker = engine(monkeypatch, "")

    assert nodes.node_containers("lab") == ("a", "b")
    assert "--all" in docker.ran[0]
    assert "--filter=label=io.x-k8s.kind.cluster=lab" in docker.ran[0]


def test_free_name_is_taken_and_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    docker = engine(monkeypatch, "")

    nodes.end_starts([NODE], "node:1")

    assert docker.verbs() == ["create", "rm"]


def test_container_that_is_on_its_way_is_waited_for_and_removed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    docker = engine(monkeypatch, CONFLICT, CONFLICT, "")

    nodes.end_starts([NODE], "node:1")

    assert docker.verbs() == ["create", "rm"] * 3


def test_container_that_stays_is_a_fault_with_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    engine(monkeypatch, CONFLICT)
    monkeypatch.setattr(nodes, "START_SECONDS", 0.3)

    with pytest.raises(ClusterNotReady, match="has finished making") as caught:
        nodes.end_starts([NODE], "node:1")

    assert "already in use" in caught.value.seen
    assert NODE in caught.value.try_


def test_engine_without_the_image_is_making_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    docker = engine(monkeypatch, "No such image: node:1")

    nodes.end_starts([NODE], "node:1")

    assert docker.verbs() == ["create"]
