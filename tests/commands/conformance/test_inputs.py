"""What a stranger may get wrong: each input is answered in words before a cluster is touched."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness import cli
from harness.exitcode import ExitCode
from tests.commands.conformance.test_verb import CASE, document, run
from tests.fakes.cluster import FakeCluster
from tests.fakes.lies import LetsNobodyIn


@pytest.fixture
def says(capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """What was said on stderr since the last look, on one line."""
    return lambda: " ".join(capsys.readouterr().err.split())


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a run of one case, which fails."""
    out = tmp_path_factory.mktemp("before")
    run(out, "--only", CASE, lie=LetsNobodyIn())
    return out / "report.yaml"


def edited(file: Path, home: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    found = yaml.safe_load(file.read_text(encoding="utf-8"))
    change(found)
    copy = home / "edited.yaml"
    copy.write_text(yaml.safe_dump(found), encoding="utf-8")
    return copy


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (("--late", "-3"), "`-3` is no time: write 0 or more seconds"),
        (("--late", "nan"), "`nan` is no time"),
        (("--late", "soon"), "`soon` is no number of seconds"),
        (("--repeat", "0"), "the number must be 1 or more"),
        (("--repeat", "x"), "`x` is no whole number"),
        (("--profile", "all"), "invalid choice: 'all'"),
    ],
)
def test_an_option_that_is_no_value_is_refused(
    words: tuple[str, ...], answer: str, tmp_path: Path, says: Callable[[], str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        run(tmp_path, *words)

    assert caught.value.code == ExitCode.USAGE
    assert answer in says()


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (("--only", CASE, "--only", "peers/podz"), "did you mean peers/pods?"),
        (("--only", "endport"), "did you mean end-port?"),
        (("--profile", "core", "--only", "blocks/pod"), "add --profile extended"),
        (("--profile", "lifecycle", "--only", "lifecycle/quiet"), "these profiles have no cases"),
        (("--cases", "nowhere"), "the folder of cases cannot be read where: nowhere"),
        (("--deviations", "nowhere"), "the file cannot be read where: nowhere"),
        (("--baseline", "nowhere"), "the file cannot be read where: nowhere"),
        (("--shard", "4/3"), "`4/3` is no shard"),
    ],
)
def test_a_choice_that_is_none_is_refused(
    words: tuple[str, ...], answer: str, tmp_path: Path, says: Callable[[], str]
) -> None:
    out = tmp_path / "out"

    assert run(out, *words) is ExitCode.USAGE

    assert answer in says()
    assert not out.exists()


def test_a_folder_that_cannot_be_written_is_refused_before_the_run(
    tmp_path: Path, says: Callable[[], str]
) -> None:
    file, cluster = tmp_path / "file", FakeCluster("calico")
    file.write_text("", encoding="utf-8")
    objects = dict(cluster.objects)

    for out in (file, file / "out"):
        assert run(out, "--only", CASE, cluster=cluster) is ExitCode.USAGE
        assert "the reports cannot be written" in says()

    assert cluster.objects == objects


def test_a_job_summary_that_cannot_be_written_is_refused_before_the_run(
    tmp_path: Path, says: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "nowhere" / "job.md"))

    assert run(tmp_path, "--only", CASE) is ExitCode.USAGE

    assert "unset GITHUB_STEP_SUMMARY" in says()
    assert not (tmp_path / "report.yaml").exists()


def test_what_somebody_else_put_among_failed_cases_stays(tmp_path: Path) -> None:
    foreign = tmp_path / "failed" / "mine" / "notes.txt"
    foreign.parent.mkdir(parents=True)
    foreign.write_text("keep me", encoding="utf-8")

    run(tmp_path, "--only", CASE, lie=LetsNobodyIn())
    assert (tmp_path / "failed" / "peers-pods").is_dir()
    run(tmp_path, "--only", CASE)

    assert not (tmp_path / "failed" / "peers-pods").exists()
    assert foreign.read_text(encoding="utf-8") == "keep me"


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("deviations: []\n---\ndeviations: []\n", "is one YAML document"),
        ("deviations: [{case: C, reason: r, link: 'an issue'}]", "must be the address of a page"),
        ("deviations: [{case: C, reason: '', link: 'https://x.org'}]", "`reason` says nothing"),
        ("deviations: [{case: peers/podz, reason: r, link: 'https://x.org'}]", "did you mean"),
        (
            "deviations: [{case: lifecycle/agent-kiled, reason: r, link: 'https://x.org'}]",
            "did you mean lifecycle/agent-killed?",
        ),
    ],
)
def test_a_wrong_file_of_deviations_is_refused(
    text: str, answer: str, tmp_path: Path, says: Callable[[], str]
) -> None:
    file = tmp_path / "known.yaml"
    file.write_text(text.replace("C,", f"{CASE},"), encoding="utf-8")

    assert run(tmp_path, "--only", CASE, "--deviations", str(file)) is ExitCode.USAGE

    found = says()
    assert answer in found
    assert str(file) in found


def test_a_row_that_is_measured_or_drawn_may_be_a_deviation(tmp_path: Path) -> None:
    file = tmp_path / "known.yaml"
    rows = ("lifecycle/agent-killed", "latency/closes", "made-up/1/case-1")
    listed = [{"case": row, "reason": "it is late", "link": "https://x.org"} for row in rows]
    file.write_text(yaml.safe_dump({"deviations": listed}), encoding="utf-8")

    assert run(tmp_path, "--only", CASE, "--deviations", str(file)) is ExitCode.OK


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        (lambda d: d.update(apiVersion="policylab/v9"), "apiVersion: policylab/v9, and not"),
        (lambda d: d.update(kind="Pod"), "this is no report of `policylab conformance`"),
        (lambda d: d["implementation"].update(project="antrea"), "it is of antrea, and this run"),
        (lambda d: d["rows"][0].update(name="peers/other"), "the baseline has no case of this run"),
        (lambda d: d["policylab"].pop("notes"), "this report cannot be read"),
        (lambda d: d["rows"][0].pop("why"), "row 1: it lacks `why`"),
    ],
)
def test_a_baseline_of_something_else_is_refused(
    change: Callable[[dict[str, Any]], object],
    answer: str,
    before: Path,
    tmp_path: Path,
    says: Callable[[], str],
) -> None:
    file = edited(before, tmp_path, change)

    assert run(tmp_path / "out", "--only", CASE, "--baseline", str(file)) is ExitCode.USAGE

    found = says()
    assert answer in found
    assert str(file) in found


@pytest.mark.parametrize("text", ["a: [", "[" * 5000, "date: 2026-13-45", "- 1", ""])
def test_a_baseline_that_is_no_report_is_refused(
    text: str, tmp_path: Path, says: Callable[[], str]
) -> None:
    file = tmp_path / "baseline.yaml"
    file.write_text(text, encoding="utf-8")

    assert run(tmp_path / "out", "--only", CASE, "--baseline", str(file)) is ExitCode.USAGE

    assert "this is no " in says()


def test_a_baseline_of_other_cases_is_told(before: Path, tmp_path: Path) -> None:
    def change(found: dict[str, Any]) -> None:
        found["rows"].append({**found["rows"][0], "name": "peers/gone"})
        found["policylab"]["interrupted"] = True

    file = edited(before, tmp_path, change)
    words = ("--only", CASE, "--only", "peers/nobody", "--baseline", str(file))
    assert run(tmp_path, *words, lie=LetsNobodyIn()) is ExitCode.OK

    assert document(tmp_path)["policylab"]["notes"] == [
        "The run of the baseline was interrupted before its last row.",
        "The baseline lacks 1 cases of this run (peers/nobody): they count as without a baseline.",
        "1 cases of the baseline are not run (peers/gone).",
    ]


def test_cases_are_listed_without_a_cluster(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["conformance", "--list", "--only", "end-port", "--out", str(tmp_path / "out")]

    assert cli.main(words) is ExitCode.OK

    said = capsys.readouterr().out
    assert "ports/range (core; ingress, end-port, tcp): endPort ends a range" in said
    assert not (tmp_path / "out").exists()


def test_who_makes_a_cni_is_in_its_report(tmp_path: Path) -> None:
    words = ("--organization", "us", "--url", "https://x.org", "--contact", "@us")
    run(tmp_path, "--only", CASE, *words)

    found = document(tmp_path)["implementation"]
    assert (found["organization"], found["url"], found["contact"]) == (
        "us",
        "https://x.org",
        ["@us"],
    )


def test_repetitions_are_printed_and_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, "--only", CASE, "--repeat", "3") is ExitCode.OK

    assert f"{CASE}: passed 3 of 3 runs (95 % interval 44% to 100%)" in capsys.readouterr().out
    (row,) = document(tmp_path)["rows"]
    assert row["runs"] == {"passed": 3, "of": 3, "interval": [0.4385, 1.0]}


def test_a_run_that_judged_nothing_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, "--only", CASE, "--shard", "2/2") is ExitCode.NO_VERDICT

    assert "no row was judged" in capsys.readouterr().out
