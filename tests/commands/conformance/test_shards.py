"""`policylab conformance --shard`, and `report merge`: the parts are the whole, or are refused."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
import yaml

from harness import cli
from harness.commands.shared.access import Access
from harness.core.fuzz import cases
from harness.exitcode import ExitCode
from tests.fakes.cluster import FakeCluster
from tests.fakes.lies import LetsNobodyIn, Lie

CHOICE = ("--only", "isolation/*-both", "--only", "peers/pods")


def run(out: Path, *words: str, lie: Lie | None = None) -> ExitCode:
    cluster = FakeCluster("calico", lie)
    access = Access(open=lambda spec, progress, tools: cluster.value(), doors=lambda _: cluster)
    fixed = ("conformance", "--jobs", "1", "--late", "0", "--out", str(out))
    return cli.main([*fixed, *words], access)


def merge(out: Path, *folders: Path, words: tuple[str, ...] = ()) -> ExitCode:
    return cli.main(["report merge", *map(str, folders), "--out", str(out), *words])


def document(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((out / "report.yaml").read_text(encoding="utf-8"))
    return found


def shards(home: Path, *words: str, of: int = 2, lie: Lie | None = None) -> list[Path]:
    found = []
    for number in range(1, of + 1):
        folder = home / f"part-{number}"
        run(folder, *(words or CHOICE), "--shard", f"{number}/{of}", lie=lie)
        found.append(folder)
    return found


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two shards of a CNI that lets nobody in."""
    return shards(tmp_path_factory.mktemp("once"), lie=LetsNobodyIn())


@pytest.fixture
def parts(once: list[Path], tmp_path: Path) -> list[Path]:
    """The same, for a test that changes them."""
    return [Path(copytree(part, tmp_path / part.name)) for part in once]


def names(out: Path) -> list[str]:
    return [row["name"] for row in document(out)["rows"]]


def test_the_shards_of_a_run_are_the_whole_run(tmp_path: Path) -> None:
    parts = shards(tmp_path)
    whole, together = tmp_path / "whole", tmp_path / "together"
    assert run(whole, *CHOICE) is ExitCode.OK

    assert merge(together, *parts) is ExitCode.OK

    assert names(together) == names(whole)
    assert all(0 < len(names(part)) < len(names(whole)) for part in parts)
    one, other = document(whole), document(together)
    assert other["profiles"] == one["profiles"]
    assert other["implementation"]["project"] == "calico"
    assert (other["policylab"]["shard"], other["policylab"]["interrupted"]) == (None, False)
    suites = ET.parse(together / "junit.xml").getroot()  # noqa: S314 - it is our own
    assert len(list(suites.iter("testcase"))) == len(names(whole))
    assert (together / "report.html").is_file()
    assert (together / "summary.md").is_file()


def test_policies_that_are_drawn_are_split_by_their_worlds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cases, "CASES_OF_A_WORLD", 2)
    drawn = ("--only", "isolation/deny-both", "--fuzz", "14")
    parts, whole = shards(tmp_path, *drawn), tmp_path / "whole"
    run(whole, *drawn)

    made_up = [{n for n in names(out) if n.startswith("made-up/")} for out in (*parts, whole)]
    assert all(made_up)
    assert made_up[0] | made_up[1] == made_up[2]
    assert made_up[0] & made_up[1] == set()


def test_a_failure_keeps_its_folder_and_stays_red(parts: list[Path], tmp_path: Path) -> None:
    together = tmp_path / "together"

    assert merge(together, *parts) is ExitCode.DIFFERS

    (row,) = [row for row in document(together)["rows"] if row["name"] == "peers/pods"]
    assert (row["status"], row["red"]) == ("failed", True)
    (before,) = [p / "failed" / "peers-pods" for p in parts if (p / "failed/peers-pods").is_dir()]
    after = together / "failed" / "peers-pods"
    assert {f.name: f.read_text() for f in after.iterdir()} == {
        f.name: f.read_text() for f in before.iterdir()
    }


def edited(change: Callable[[dict[str, Any]], object], folder: Path) -> None:
    found = document(folder)
    change(found)
    (folder / "report.yaml").write_text(yaml.safe_dump(found), encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda d: d["implementation"].update(project="cilium"), "the CNI differs"),
        (lambda d: d["implementation"].update(version="v9"), "the version of the CNI differs"),
        (lambda d: d["environment"].update(kubernetes="v1.2"), "the cluster's kubernetes differs"),
        (lambda d: d["policylab"]["asked"].update({"the seed": 9}), "the seed differs"),
        (lambda d: d["policylab"]["shard"].update(number=1), "shard 1 of 2 is there twice"),
        (lambda d: d["policylab"]["shard"].update(of=3), "the number of shards differs"),
        (lambda d: d["policylab"]["shard"].update(number="x"), "`x/2` is no shard"),
        (lambda d: d["policylab"].update(shard=None), "not the report of a shard"),
        (lambda d: d["policylab"].update(asked=[1]), "`asked` is `[1]`"),
        (lambda d: d["policylab"].update(seconds=None), "this report cannot be read"),
        (lambda d: d["policylab"].pop("interrupted"), "it lacks `interrupted`"),
        (lambda d: d.update(environment=None), "`environment` is `None`"),
        (lambda d: d.update(apiVersion="policylab/v9"), "apiVersion: policylab/v9"),
        (lambda d: d["policylab"]["asked"].update({"the baseline": "x"}), "the baseline differs"),
        (lambda d: d["rows"].append(d["rows"][0]), "twice"),
        (lambda d: d["policylab"].update(interrupted=True), "shard 2/2 was interrupted"),
        (lambda d: d["rows"][0].pop("status"), "a row of this report cannot be read"),
        (lambda d: d.update(rows=None), "this is no report of `policylab conformance`"),
    ],
)
def test_what_does_not_belong_together_is_refused(
    change: Callable[[dict[str, Any]], object],
    says: str,
    parts: list[Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    edited(change, parts[1])

    assert merge(tmp_path / "together", *parts) is ExitCode.USAGE

    assert says in capsys.readouterr().err
    assert not (tmp_path / "together").exists()


def test_the_whole_report_takes_the_place_of_no_part(
    parts: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    before = document(parts[0])

    assert merge(parts[0], *parts) is ExitCode.USAGE

    assert "would take the place of a shard's" in capsys.readouterr().err
    assert document(parts[0]) == before


def test_a_file_in_place_of_a_folder_is_refused(
    parts: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert merge(tmp_path / "whole", *(p / "report.yaml" for p in parts)) is ExitCode.USAGE

    assert "name the folder that" in capsys.readouterr().err


def test_a_row_of_two_shards_is_refused(
    parts: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edited(lambda d: d["rows"].append(document(parts[0])["rows"][0]), parts[1])

    assert merge(tmp_path / "together", *parts) is ExitCode.USAGE

    assert "two shards have the row" in capsys.readouterr().err


def test_a_missing_shard_is_named_and_leaves_no_verdict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    part, together = tmp_path / "part", tmp_path / "together"
    run(part, *CHOICE, "--shard", "2/3")

    assert merge(together, part) is ExitCode.USAGE
    assert "of 3 shards these are missing: 1, 3" in capsys.readouterr().err

    assert merge(together, part, words=("--missing-ok",)) is ExitCode.NO_VERDICT
    ours = document(together)["policylab"]
    assert ours["interrupted"] is True
    assert ours["notes"][0] == "Of 3 shards these are missing or were interrupted: 1, 3."
