"""`policylab probe` and `policylab watch`: what they print, write, and end with."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness import cli
from harness.commands import livepods, probe, watch
from harness.commands.livepods import LivePods, port_of, targets_of
from harness.core.ask import Ask
from harness.core.model import ContainerPort, Namespace, Pod, Protocol, Topology
from harness.core.observation import Answer, Observation
from harness.core.outcome import Outcome, Reading
from harness.core.policy.reachability import Matrix, asks_of
from harness.core.probe.cells import Cell
from harness.core.target import PodPort
from harness.edge.probe.discovery import Found
from harness.errors import ClusterNotReady, ContentError
from harness.exitcode import ExitCode


def cell(outcome: Outcome, *notes: str) -> Cell:
    return Cell(Answer(Observation(Reading(outcome), own=Reading(Outcome.CONNECTED), notes=notes)))


OPEN, SHUT = cell(Outcome.CONNECTED), cell(Outcome.TIMEOUT)
ODD = cell(Outcome.UNSTABLE, "the attempts disagree")
WEB, API = (
    Pod("shop", name, {"app": name}, (ContainerPort(80),), ip_address(f"10.0.0.{number}"))
    for number, name in enumerate(("web", "api"), 1)
)
FOUND = Found(
    Topology({"shop": Namespace("shop", {})}, {"shop/web": WEB, "shop/api": API}),
    {"shop/proxy": "is on the host network"},
    (),
)
DENY = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny, namespace: shop}
spec: {podSelector: {matchLabels: {app: api}}, policyTypes: [Ingress]}
"""


class Shown:
    """A matrix in which web sees of api what the test says; all else is open."""

    def __init__(self, *cells: Cell) -> None:
        self.cells = list(cells)

    def matrix(self, sources: Any, targets: Any, *_: Any, only: Any = None) -> Matrix[Cell]:
        seen = self.cells.pop(0) if len(self.cells) > 1 else self.cells[0]
        cells = dict.fromkeys(asks_of(sources, targets), OPEN)
        cells[Ask(WEB.ref, PodPort(API.ref, 80, Protocol.TCP))] = seen
        chosen = {ask: cell for ask, cell in cells.items() if only is None or ask in only}
        return Matrix(tuple(sources), tuple(targets), chosen)


def on_stage(monkeypatch: pytest.MonkeyPatch, *cells: Cell) -> None:
    @contextmanager
    def live(arguments: argparse.Namespace, progress: object) -> Iterator[LivePods]:
        targets, _ = targets_of(FOUND.pods, arguments.port)
        yield LivePods(FOUND, targets, Shown(*cells), ("a note",))  # type: ignore[arg-type]

    monkeypatch.setattr(probe, "live_pods", live)
    monkeypatch.setattr(watch, "live_pods", live)


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "deny.yaml").write_text(DENY)
    return folder


@pytest.mark.parametrize(
    ("cell", "code"), [(SHUT, ExitCode.OK), (OPEN, ExitCode.DIFFERS), (ODD, ExitCode.NO_VERDICT)]
)
def test_exit_code_says_whether_the_cluster_does_what_policies_say(
    monkeypatch: pytest.MonkeyPatch, policies: Path, cell: Cell, code: ExitCode
) -> None:
    on_stage(monkeypatch, cell)

    assert cli.main(["probe", "shop", "--expect", str(policies)]) == code


def test_difference_is_named_with_both_answers(
    monkeypatch: pytest.MonkeyPatch, policies: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    on_stage(monkeypatch, OPEN)
    cli.main(["probe", "shop", "--expect", str(policies)])

    said = " ".join(capsys.readouterr().out.split())
    assert "differs: shop/web -> pod/shop/api:80: expected deny, observed allow" in said
    assert "note: a note" in said


def test_matrix_is_written_as_json_and_as_a_picture(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    on_stage(monkeypatch, SHUT)
    files = tmp_path / "matrix.json", tmp_path / "matrix.svg"

    assert cli.main(["probe", "shop", "--json", str(files[0]), "--svg", str(files[1])]) == 0

    document = json.loads(files[0].read_text())
    assert document["summary"] == {
        "cells": 4,
        "blocked": 1,
        "reached": 3,
        "differ": 0,
        "without verdict": 0,
    }
    assert files[1].read_text().startswith("<svg")


def test_fault_of_the_machine_has_its_own_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def none(name: str) -> None:
        raise ClusterNotReady(f"the cluster {name} does not run")

    monkeypatch.setattr(livepods, "running", none)

    assert cli.main(["probe", "shop"]) == ExitCode.FAULT
    assert "policylab-calico does not run" in capsys.readouterr().err


def test_pods_of_a_foreign_cluster_are_touched_only_with_yes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster = SimpleNamespace(
        owned=False, context="prod", kubeconfig=Path("x"), kubectl=Path("y"), refs={}
    )
    equipped: list[Any] = []
    bare = Found(FOUND.topology, {}, FOUND.pods)
    monkeypatch.setattr(livepods, "open_cluster", lambda *_: cluster)
    doors = SimpleNamespace(kube=lambda: None)
    monkeypatch.setattr(livepods, "doors_of", lambda _: doors)
    monkeypatch.setattr(livepods, "discover", lambda *_, **__: bare)
    monkeypatch.setattr(livepods, "equip", lambda *given: equipped.append(given))

    assert cli.main(["probe", "shop", "--context", "prod"]) == ExitCode.USAGE
    assert equipped == []
    said = capsys.readouterr().err
    assert "--yes" in said
    assert "until its pod ends" in " ".join(said.split())


@pytest.mark.parametrize("text", ["", "0", "65536", "80/sctp", "http", "80/tcp/udp"])
def test_port_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="write 80"):
        port_of(text)


def test_port_may_name_its_protocol() -> None:
    assert port_of("53/udp") == ContainerPort(53, Protocol.UDP)
    assert port_of("80") == ContainerPort(80, Protocol.TCP)


def test_named_port_takes_the_place_of_declared_ones() -> None:
    targets, notes = targets_of([WEB], [ContainerPort(53, Protocol.UDP)])

    assert [str(target) for target in targets] == ["pod/shop/web:53/udp"]
    assert notes == []


def test_pods_without_ports_need_a_named_one() -> None:
    with pytest.raises(ContentError, match="declares a port"):
        targets_of([Pod("shop", "idle", {})], None)


def test_watch_tells_each_flip_and_sums_up(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    on_stage(monkeypatch, OPEN, SHUT)

    assert cli.main(["watch", "shop", "--every", "0.01", "--seconds", "0.1"]) == 0

    said = " ".join(capsys.readouterr().out.split())
    assert "shop/web -> pod/shop/api:80: connected -> timeout (after" in said
    assert "1 of 4 flows flipped" in said


def test_watch_ends_with_its_summary_at_ctrl_c(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    on_stage(monkeypatch, OPEN)

    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Shown, "matrix", interrupted)

    assert cli.main(["watch", "shop"]) == 0
    assert "0 of 0 flows flipped" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("target", "nearest"),
    [
        ("pod/shop/apy:80", "shop/web -> pod/shop/api:80"),
        ("shop/api:80/TCP", "pod/shop/api:80"),
    ],
)
def test_watch_knows_its_flows_and_suggests_the_nearest(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    target: str,
    nearest: str,
) -> None:
    on_stage(monkeypatch, OPEN)

    assert cli.main(["watch", "shop", "--flow", "shop/web", target]) == ExitCode.USAGE
    said = " ".join(capsys.readouterr().err.split())
    assert "where: --flow" in said
    assert f"try: did you mean `{nearest}`?" in said


def test_watch_looks_at_the_flows_that_were_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    on_stage(monkeypatch, OPEN, SHUT)
    flow = ["--flow", "shop/web", "pod/shop/api:80"]

    assert cli.main(["watch", "shop", *flow, "--every", "0.01", "--seconds", "0.1"]) == 0
    assert "1 of 1 flows flipped" in capsys.readouterr().out
