"""`policylab conformance` on a cluster in memory: its files, its exit codes, its refusals."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness import cli
from harness.commands.shared.access import Access
from harness.core.conformance.case import Case
from harness.core.conformance.row import Row
from harness.edge.conformance.running import Running
from harness.exitcode import ExitCode
from tests.fakes.cluster import NODES, FakeCluster
from tests.fakes.lies import LetsNobodyIn, Lie

CASE = "peers/pods"


def run(
    out: Path,
    *words: str,
    cni: str = "calico",
    lie: Lie | None = None,
    cluster: FakeCluster | None = None,
) -> ExitCode:
    cluster = cluster or FakeCluster(cni, lie)
    access = Access(open=lambda spec, progress, tools: cluster.value(), doors=lambda _: cluster)
    # Waits of the cluster in memory take seconds of its own clock.
    fixed = ("conformance", "--jobs", "1", "--late", "0", "--out", str(out))
    return cli.main([*fixed, *words], access)


def document(out: Path) -> dict[str, Any]:
    text = (out / "report.yaml").read_text(encoding="utf-8")
    assert text.startswith("apiVersion: "), "docs/conformance.md cuts a Job's log before it"
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def deviations(folder: Path) -> Path:
    file = folder / "known.yaml"
    file.write_text(
        f"deviations: [{{case: {CASE}, reason: it is planted, link: 'https://example.org/'}}]\n",
        encoding="utf-8",
    )
    return file


def test_an_honest_cni_is_green_and_all_reports_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = tmp_path / "job.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(job))

    assert run(tmp_path, "--only", "isolation/*-both", "--fuzz", "3") is ExitCode.OK

    found = document(tmp_path)
    names = [row["name"] for row in found["rows"]]
    assert names[:2] == ["isolation/deny-both", "isolation/types-default-to-both"]
    assert all(name.startswith("made-up/1/case-") for name in names[2:])
    assert found["profiles"][0]["core"]["result"] == "success"
    suites = ET.parse(tmp_path / "junit.xml").getroot()  # noqa: S314 - it is our own
    assert [suite.get("failures") for suite in suites] == ["0", "0"]
    assert job.read_text(encoding="utf-8") == (tmp_path / "summary.md").read_text(encoding="utf-8")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "calico does what the rows ask for" in page
    assert not (tmp_path / "failed").exists()


def test_a_failure_is_red_and_leaves_a_folder(tmp_path: Path) -> None:
    assert run(tmp_path, "--only", CASE, lie=LetsNobodyIn()) is ExitCode.DIFFERS

    (row,) = document(tmp_path)["rows"]
    assert (row["status"], row["red"]) == ("failed", True)
    folder = tmp_path / "failed" / "peers-pods"
    there = {file.name for file in folder.iterdir()}
    assert there >= {"case.yaml", "manifests.yaml", "reproduce.sh", "flows.txt"}
    flows = (folder / "flows.txt").read_text(encoding="utf-8")
    assert "red/b -> pod/red/a:8080: expected connected, predicted connected, observed timeout" in (
        flows
    )
    root = ET.parse(tmp_path / "junit.xml").getroot()  # noqa: S314 - it is our own
    (failure,) = root.iter("failure")
    assert "timeout, not connected" in failure.get("message", "")


def test_a_listed_failure_is_not_red_and_a_listed_pass_is(tmp_path: Path) -> None:
    words = ("--only", CASE, "--deviations", str(deviations(tmp_path)))

    assert run(tmp_path, *words, lie=LetsNobodyIn()) is ExitCode.OK
    assert run(tmp_path, *words) is ExitCode.DIFFERS


def test_only_a_change_is_red_with_a_baseline(tmp_path: Path) -> None:
    before = tmp_path / "before"
    assert run(before, "--only", CASE, lie=LetsNobodyIn()) is ExitCode.DIFFERS

    words = ("--only", CASE, "--baseline", str(before / "report.yaml"))
    assert run(tmp_path, *words, lie=LetsNobodyIn()) is ExitCode.OK
    assert run(tmp_path, *words) is ExitCode.DIFFERS


def test_an_empty_selection_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "--only", "ports/nothing-of-that-name") is ExitCode.USAGE

    assert "no case is chosen" in capsys.readouterr().err


def test_only_skipped_cases_are_no_pass(tmp_path: Path) -> None:
    cluster = FakeCluster("calico", without_sctp=NODES)

    assert run(tmp_path, "--only", "ports/sctp-deny", cluster=cluster) is ExitCode.NO_VERDICT


def test_a_folder_of_cases_is_run_instead(tmp_path: Path) -> None:
    home = tmp_path / "mine"
    home.mkdir()
    (home / "own.yaml").write_text(
        "about: Nobody gets in.\nsource: https://example.org/\nlevel: core\nfeatures: [ingress]\n"
        "topology: grid\npolicies: [{metadata: {namespace: red, name: p}, spec: {podSelector: {}}}]"
        "\nexpect: ['deny * -> red/*']\n",
        encoding="utf-8",
    )

    assert run(tmp_path, "--cases", str(home)) is ExitCode.OK
    assert [row["name"] for row in document(tmp_path)["rows"]] == ["own"]


def test_a_deviation_that_policylab_ships_is_not_red(tmp_path: Path) -> None:
    words = ("--cni", "cilium", "--only", "isolation/types-leave-out-egress")

    assert run(tmp_path, *words, cni="cilium") is ExitCode.OK

    (row,) = document(tmp_path)["rows"]
    assert (row["status"], row["red"]) == ("failed", False)
    assert row["deviation"]["link"] == "https://github.com/cilium/cilium/issues/48703"


def test_each_run_has_namespaces_of_its_own_and_leaves_none(tmp_path: Path) -> None:
    cluster = FakeCluster("calico")
    access = Access(open=lambda spec, progress, tools: cluster.value(), doors=lambda _: cluster)
    spaces = set[str]()
    apply = cluster.apply

    def noted(body: Mapping[str, Any]) -> dict[str, Any]:
        if body["kind"] == "Namespace":
            spaces.add(body["metadata"]["name"])
        return apply(body)

    cluster.apply = noted  # type: ignore[method-assign]
    words = ["conformance", "--jobs", "1", "--only", CASE, "--fuzz", "1", "--out", str(tmp_path)]
    for _ in range(2):
        assert cli.main(words, access) is ExitCode.OK

    kinds = r"policylab-(?:conformance|fuzz|gate-conformance)-([0-9a-f]{4})(?:-.+)?"
    runs = {found[1] for name in spaces if (found := re.fullmatch(kinds, name))}
    assert len(spaces) > len(runs)
    assert all(re.fullmatch(kinds, name) for name in spaces)
    assert len(runs) == 2
    assert {n for k, _, n in cluster.objects if k == "Namespace"} == {"kube-system"}


def test_a_cluster_that_another_run_measures_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster = FakeCluster("calico")
    labels = {"app.kubernetes.io/managed-by": "policylab"}
    meta = {"name": "policylab-lifecycle", "labels": labels}
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": meta})
    access = Access(open=lambda spec, progress, tools: cluster.value(), doors=lambda _: cluster)

    words = ["conformance", "--profile", "latency", "--out", str(tmp_path)]
    assert cli.main(words, access) is ExitCode.USAGE

    assert "another run measures this cluster, or was killed" in capsys.readouterr().err
    assert ("Namespace", "", "policylab-lifecycle") in cluster.objects


def test_an_interrupt_loses_no_run_of_a_case(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Running.run

    def cut(running: Running, cases: Collection[Case]) -> Iterator[Row]:
        yield from islice(whole(running, cases), 2)
        raise KeyboardInterrupt

    monkeypatch.setattr(Running, "run", cut)
    words = ("--only", CASE, "--repeat", "3")

    assert run(tmp_path, *words, lie=LetsNobodyIn()) is ExitCode.INTERRUPTED

    found = document(tmp_path)
    (row,) = found["rows"]
    assert (row["status"], row["runs"]["of"]) == ("failed", 2)
    assert found["policylab"]["interrupted"] is True


def test_the_report_says_what_a_sample_cannot_see(tmp_path: Path) -> None:
    assert run(tmp_path, "--only", CASE, "--sample", "classes") is ExitCode.OK

    found = document(tmp_path)
    assert "cannot see a fault of single pods of a class" in found["policylab"]["notes"][0]
    assert "flows are probed, by" in found["rows"][0]["evidence"][-1]
