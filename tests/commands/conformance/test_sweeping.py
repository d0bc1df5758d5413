"""What a run leaves on a cluster in memory, what it says of it, and the sweeper's command line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from harness import cli
from harness.commands.conformance import verb
from harness.commands.shared.access import Access
from harness.edge.cluster.opening import Cluster
from harness.edge.conformance.others import SWEEP
from harness.errors import ClusterNotReady
from harness.exitcode import ExitCode
from harness.progress import Progress
from tests.fakes.cluster import FakeCluster
from tests.fakes.lies import LetsNobodyIn, Lie

OURS = {"app.kubernetes.io/managed-by": "policylab"}
ONE = ("--only", "isolation/deny-both")
LEFT = re.compile(r"Namespaces of the run are still there: (.*)\. If they stay, `(.*)` removes")


class Keeping(FakeCluster):
    """A cluster that does not delete namespaces whose names hold this word."""

    def __init__(self, word: str, lie: Lie | None = None) -> None:
        super().__init__("calico", lie)
        self.word = word

    def delete(self, body: Mapping[str, Any], *, grace: int | None = None) -> None:
        if body["kind"] == "Namespace" and self.word and self.word in body["metadata"]["name"]:
            raise ClusterNotReady("the Kubernetes API does not answer", where=self.where)
        super().delete(body, grace=grace)


def never_opened(*_: object) -> Cluster:
    raise AssertionError("the sweeper makes no cluster")


def run(cluster: FakeCluster, *words: str) -> ExitCode:
    access = Access(open=lambda *_: cluster.value(), doors=lambda _: cluster)
    return cli.main([*words], access)


def conformance(cluster: FakeCluster, out: Path, *words: str) -> ExitCode:
    fixed = ("conformance", "--jobs", "1", "--late", "0", "--out", str(out))
    return run(cluster, *fixed, *words)


def namespaces(cluster: FakeCluster) -> set[str]:
    return {name for kind, _, name in cluster.objects if kind == "Namespace"} - {"kube-system"}


def told(capsys: pytest.CaptureFixture[str]) -> tuple[set[str], str]:
    """The namespaces that a run said are left, and the command that removes them."""
    found = LEFT.search(capsys.readouterr().err)
    assert found
    return set(found[1].split(", ")), found[2]


@pytest.mark.parametrize("word", ["policylab-conformance", "policylab-fuzz"])
def test_a_namespace_that_stayed_is_told_with_the_command_that_removes_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], word: str
) -> None:
    cluster = Keeping(word)

    assert conformance(cluster, tmp_path, *ONE, "--fuzz", "1") is ExitCode.OK

    left, command = told(capsys)
    assert left == namespaces(cluster)
    assert left
    cluster.word = ""
    assert run(cluster, *command.split()[1:], "--context", "it") is ExitCode.OK
    assert namespaces(cluster) == set()


def test_rows_that_are_known_count_though_the_canaries_stay(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster = Keeping("gate", LetsNobodyIn())

    assert conformance(cluster, tmp_path, "--only", "peers/pods") is ExitCode.DIFFERS

    assert "All rows are known, but the canaries were not removed" in capsys.readouterr().err


def test_a_cluster_that_answers_no_more_leaves_it_open_what_stays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> list[str]:
        raise ClusterNotReady("the Kubernetes API does not answer")

    monkeypatch.setattr(verb, "standing", gone)

    assert conformance(FakeCluster(), tmp_path, *ONE) is ExitCode.OK

    said = capsys.readouterr().err
    assert "Whether namespaces of the run are left is not known: the Kubernetes API" in said


@pytest.mark.parametrize(("word", "clean"), [("", True), ("-red", False)])
def test_after_an_interrupt_a_run_says_what_stays_as_the_cluster_shows_it(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    word: str,
    clean: bool,
) -> None:
    def interrupted(rows: Iterable[Any], count: int, progress: Progress) -> Iterator[Any]:
        yield from ()
        for row in rows:
            yield row
            raise KeyboardInterrupt

    monkeypatch.setattr(verb, "_shown", interrupted)
    cluster = Keeping(word)

    assert conformance(cluster, tmp_path, *ONE, "--repeat", "1") is ExitCode.INTERRUPTED

    said = capsys.readouterr().err
    assert ("The namespaces of the run were deleted." in said) is clean
    assert bool(LEFT.search(said)) is not clean
    assert bool(namespaces(cluster)) is not clean
    assert (tmp_path / "report.yaml").is_file()


def test_fuzz_says_what_stays_as_well(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = Keeping("policylab-fuzz")

    run(cluster, "fuzz", "--n", "1", "--late", "0", "--out", str(tmp_path))

    left, command = told(capsys)
    assert left == {name for name in namespaces(cluster) if "-fuzz-" in name}
    assert command == SWEEP


def test_the_sweeper_makes_no_cluster_and_reads_no_other_option(
    capsys: pytest.CaptureFixture[str],
) -> None:
    cluster, asked = FakeCluster(), []
    meta = {"name": "policylab-lifecycle", "labels": OURS}
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": meta})

    def running(name: str) -> Cluster:
        asked.append(name)
        return cluster.value()

    access = Access(open=never_opened, running=running, doors=lambda _: cluster)
    words = ["conformance", "--sweep", "--cni", "cilium", "--only", "no/such-case"]
    for removed in ("policylab-lifecycle", "nothing was left"):
        assert cli.main(words, access) is ExitCode.OK
        assert f"removed: {removed}" in capsys.readouterr().err

    assert asked == ["policylab-cilium", "policylab-cilium"]
    assert namespaces(cluster) == set()


@pytest.mark.parametrize("letters", ["AB12", "ab1", "ab123", "*", "red"])
def test_letters_that_no_run_has_are_refused(
    capsys: pytest.CaptureFixture[str], letters: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        run(FakeCluster(), "conformance", "--context", "it", "--sweep", letters)

    assert ended.value.code == ExitCode.USAGE
    assert "a run has four letters in the names of its namespaces" in capsys.readouterr().err
