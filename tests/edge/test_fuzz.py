"""Made-up policies on a cluster in memory: an honest CNI agrees, and a lie is found and shrunk."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from harness import cli
from harness.commands.shared.access import Access
from harness.core.fuzz.cases import Case, draw_cases
from harness.core.fuzz.result import Judged, totals
from harness.core.outcome import Outcome
from harness.core.target.family import FAMILIES, Family
from harness.edge.api.kube import Kube
from harness.edge.cni.known import PROFILES
from harness.edge.fuzz import Finding, Fuzz, Lost
from harness.errors import ClusterNotReady
from harness.exitcode import ExitCode
from tests.fakes.cluster import FakeCluster
from tests.fakes.lies import ForgetsFamily, IgnoresPorts, LetsNobodyIn, Lie

SEED, POLICIES = 7, 12


def cases(cni: str = "calico") -> Iterator[Case]:
    return draw_cases(SEED, POLICIES, PROFILES[cni])


def fuzz(cluster: FakeCluster) -> Fuzz:
    return Fuzz(cluster.value(), cluster, lambda: cluster.clock.take(1.0), jobs=1)


@pytest.mark.parametrize("cni", ["calico", "cilium"])
def test_honest_cni_agrees_about_every_flow(cni: str) -> None:
    drawn = list(cases(cni))

    found = list(fuzz(FakeCluster(cni)).run(drawn, source="a test"))

    judged = [result for result in found if isinstance(result, Judged)]
    sums = totals(judged)
    assert (len(judged), sums.policies) == (len(drawn), POLICIES)
    assert (sums.no_verdict, [result for result in judged if result.disagreed]) == (0, [])
    assert sums.agreed > 100


@pytest.mark.parametrize("family", ["ipv6", "dual"])
def test_honest_cni_agrees_on_each_family_also_where_a_block_is_of_one_alone(family: str) -> None:
    families = FAMILIES[family]
    drawn = list(draw_cases(SEED, 3 * POLICIES, PROFILES["calico"], families))
    cluster = FakeCluster("calico", families=families)

    judged = [r for r in fuzz(cluster).run(drawn, source="a test") if isinstance(r, Judged)]

    sums = totals(judged)
    assert (sums.no_verdict, [result for result in judged if result.disagreed]) == (0, [])
    assert sums.agreed > 100
    assert any("::/0" in str(case.objects) for case in drawn)


def test_family_that_is_forgotten_is_found_on_both_and_not_on_the_other_alone() -> None:
    lie = ForgetsFamily(Family.IPV6)
    dual, alone = FakeCluster("calico", lie, families=FAMILIES["dual"]), FakeCluster("calico", lie)

    with closing(fuzz(dual).run(cases(), source="a test")) as results:
        finding = next(result for result in results if isinstance(result, Finding))
    found = list(fuzz(alone).run(cases(), source="a test"))

    observed = {each.observed.outcome for each in finding.shrunk.disagreed}
    assert observed == {Outcome.FAMILIES_DIFFER}
    assert not [result for result in found if isinstance(result, Finding)]


@pytest.mark.parametrize("lie", [LetsNobodyIn(), IgnoresPorts()])
def test_lie_is_found_and_shrunk_to_one_policy(lie: Lie) -> None:
    with closing(fuzz(FakeCluster("calico", lie)).run(cases(), source="a test")) as results:
        finding = next(result for result in results if isinstance(result, Finding))

    [policy] = finding.shrunk.case.policies
    assert len(policy["spec"]["ingress"]) == 1
    assert finding.stays
    assert finding.tries > 0
    assert finding.shrunk.disagreed
    assert "a test" in finding.text


def test_namespaces_of_the_worlds_go_at_the_end() -> None:
    cluster = FakeCluster()

    list(fuzz(cluster).run(cases(), source="a test"))

    spaces = [name for kind, _, name in cluster.objects if kind == "Namespace"]
    assert spaces == ["kube-system"]


class Unreachable(FakeCluster):
    """A cluster whose API answers nobody."""

    def kube(self) -> Kube:
        raise ClusterNotReady("the Kubernetes API does not answer")


def test_case_of_a_cluster_that_does_not_answer_is_lost_and_none_is_missing() -> None:
    drawn = list(cases())

    found = list(fuzz(Unreachable()).run(drawn, source="a test"))

    assert [result.case for result in found if isinstance(result, Lost)] == drawn


@pytest.mark.parametrize(("lie", "code"), [(None, ExitCode.OK), (LetsNobodyIn(), ExitCode.DIFFERS)])
def test_command_writes_a_report_and_what_differs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], lie: Lie | None, code: ExitCode
) -> None:
    cluster = FakeCluster("calico", lie)
    access = Access(open=lambda *_: cluster.value(), doors=lambda _: cluster)
    words = ["fuzz", "--n", "3", "--seed", "5", "--jobs", "1", "--out", str(tmp_path), "--json"]

    assert cli.main(words, access) == code

    report = json.loads(capsys.readouterr().out)
    written = sorted(path.name for path in tmp_path.iterdir())
    assert bool(report["findings"]) is (code is ExitCode.DIFFERS)
    assert len(written) > (1 if lie else 0)


def test_shards_have_every_case_once_and_are_merged_to_the_whole_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*words: str) -> int:
        cluster = FakeCluster()
        access = Access(open=lambda *_: cluster.value(), doors=lambda _: cluster)
        return cli.main(words, access)

    drawn = ["fuzz", "--n", "50", "--seed", "1", "--jobs", "1"]
    folders = [str(tmp_path / f"shard-{number}") for number in (1, 2)]
    for number, folder in enumerate(folders, 1):
        assert run(*drawn, "--shard", f"{number}/2", "--out", folder) == ExitCode.OK
    capsys.readouterr()

    assert run("report", "merge", *folders, "--out", str(tmp_path / "whole")) == ExitCode.OK

    [file] = (tmp_path / "whole").glob("*.json")
    whole = json.loads(file.read_text())
    assert whole["policies"] == 50
    assert whole["cases"] == len(list(draw_cases(1, 50, PROFILES["calico"])))
    assert "does what policylab predicts" in capsys.readouterr().out
    assert run("report", "merge", folders[0], "--out", str(tmp_path / "half")) == ExitCode.USAGE
