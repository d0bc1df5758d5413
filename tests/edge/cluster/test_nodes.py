"""kind's nodes as containers: their names, their ids, and those that come late."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.edge.cluster import nodes
from harness.errors import ClusterNotReady
from tests.fakes.docker import Answer, FakeEngine

NODE = "lab-control-plane"
CONFLICT = f'Conflict. The container name "/{NODE}" is already in use by container "5f2a"'


def engine(*answers: str) -> FakeEngine:
    """Answers `docker create` with what is on the list, the last for ever."""
    left = list(answers)

    def answer(words: list[str]) -> Answer | None:
        if words[0] != "create":
            return None
        said = left.pop(0) if len(left) > 1 else left[0]
        return int(bool(said)), "", said

    return FakeEngine(answer)


def verbs(fake: FakeEngine) -> list[str]:
    return [words[0] for words in fake.calls]


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


def test_nodes_are_found_by_the_label_of_kind_stopped_ones_too() -> None:
    fake = FakeEngine()
    fake.ids = ("b", "a")

    assert nodes.node_containers("lab", fake.docker) == ("a", "b")
    assert "--all" in fake.calls[0]
    assert "--filter=label=io.x-k8s.kind.cluster=lab" in fake.calls[0]


def test_workers_find_the_control_plane_by_its_name() -> None:
    fake = FakeEngine()
    fake.ids = ("a", "b", "c")
    fake.containers[NODE] = {"NetworkSettings": {"Networks": {"kind": {"IPAddress": "172.18.0.9"}}}}

    nodes.introduce("lab", fake.docker)

    told = [words for words in fake.calls if words[0] == "exec"]
    assert [words[1] for words in told] == ["a", "b", "c"]
    assert {words[-1] for words in told} == {f"172.18.0.9 {NODE}"}


def test_node_alone_is_left_as_it_is() -> None:
    fake = FakeEngine()
    fake.ids = ("a",)

    nodes.introduce("lab", fake.docker)

    assert "exec" not in verbs(fake)


def test_free_name_is_taken_and_given_back() -> None:
    fake = engine("")

    nodes.end_starts([NODE], "node:1", fake.docker)

    assert verbs(fake) == ["create", "rm"]


def test_container_that_is_on_its_way_is_waited_for_and_removed() -> None:
    fake = engine(CONFLICT, CONFLICT, "")

    nodes.end_starts([NODE], "node:1", fake.docker)

    assert verbs(fake) == ["create", "rm"] * 3


def test_container_that_stays_is_a_fault_with_its_name() -> None:
    fake = engine(CONFLICT)
    fake.patience = replace(fake.patience, node_end=0.3)

    with pytest.raises(ClusterNotReady, match="has finished making") as caught:
        nodes.end_starts([NODE], "node:1", fake.docker)

    assert "already in use" in caught.value.seen
    assert NODE in caught.value.try_


def test_engine_without_the_image_is_making_nothing() -> None:
    fake = engine("No such image: node:1")

    nodes.end_starts([NODE], "node:1", fake.docker)

    assert verbs(fake) == ["create"]
