"""The claim ledger: no sentence of a tutorial without a row, no row without a sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.cli import main
from harness.commands.labs.claims import read_results
from harness.core.lab.claims import Claim, ClaimStatus, Shown, entries, parse_claims, unclaimed
from harness.core.lab.documented import Erratum, parse_table
from harness.edge.cni.known import PROFILES
from harness.edge.files.labs import load_claims, load_shown
from harness.errors import ContentError
from harness.exitcode import ExitCode
from harness.report.document import SCHEMA_VERSION

TUTORIALS = sorted(load_shown())
ERRATUM = Erratum("wrong-port", "it times out", "nobody listens", "name another port")
TABLE = """
step a: base

| from | to          | tutorial says | why |
|------|-------------|---------------|-----|
| ns/x | pod/ns/y:80 | connected     | y   |

step b: base

| from | to          | tutorial says | really            | why                |
|------|-------------|---------------|-------------------|--------------------|
| ns/x | pod/ns/y:81 | timeout       | cni:unserved_port | [wrong-port, 1] y  |
| ns/x | pod/ns/y:82 | connected     | refused           | [wrong-port] y     |
| ns/x | pod/ns/y:83 | connected     |                   | [ours] y           |
"""
ADVICE = """
tutorial = "t"
sections = ["1"]

[[claim]]
section = "1"
says = "it is advised"
untestable = "advice"
"""
SHOWN = [Shown("phase", row) for row in parse_table(TABLE, source="t#1", errata=[ERRATUM]).rows]


@pytest.mark.parametrize("tutorial", TUTORIALS)
def test_every_claim_of_a_tutorial_has_its_row(tutorial: str) -> None:
    """A claim without rows must say why; a pattern that matches no row is an error."""
    assert entries(load_claims()[tutorial], load_shown()[tutorial], PROFILES)


@pytest.mark.parametrize("tutorial", TUTORIALS)
def test_every_row_that_cites_a_tutorial_belongs_to_a_claim(tutorial: str) -> None:
    assert unclaimed(load_claims()[tutorial], load_shown()[tutorial]) == []


def claim(*rows: str, untestable: str = "") -> Claim:
    return Claim("t", "1", "it works", rows, untestable)


@pytest.mark.parametrize(
    ("found", "status"),
    [
        (claim("phase/a-*"), ClaimStatus.CONFIRMED),
        (claim("phase/b-x-to-y-81"), ClaimStatus.CNI_DEPENDENT),
        (claim("phase/b-x-to-y-82"), ClaimStatus.REFUTED),
        (claim("phase/a-*", "phase/b-x-to-y-82"), ClaimStatus.REFUTED),
        (claim(untestable="advice"), ClaimStatus.NOT_TESTABLE),
    ],
)
def test_status_follows_from_the_rows(found: Claim, status: ClaimStatus) -> None:
    [entry] = entries([found], SHOWN, PROFILES)

    assert entry.status is status


def test_lab_of_one_cni_says_nothing_of_another() -> None:
    [entry] = entries([claim("phase/a-*")], [Shown("phase", SHOWN[0].row, "cilium")], PROFILES)

    assert dict(entry.by_cni) == {"cilium": ClaimStatus.CONFIRMED}


def test_claim_whose_row_is_gone_is_an_error() -> None:
    with pytest.raises(ContentError, match="no row has the name `phase/z"):
        entries([claim("phase/a-*", "phase/z*")], SHOWN, PROFILES)


def test_row_that_cites_the_text_and_is_in_no_claim_is_found() -> None:
    assert unclaimed([claim("phase/a-*", "phase/b-x-to-y-81")], SHOWN) == ["phase/b-x-to-y-82"]


LEDGER: dict[str, Any] = {
    "tutorial": "t",
    "sections": ["1"],
    "claim": [{"section": "1", "says": "it works", "rows": ["phase/a-*"]}],
}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"sections": ["1", "2"]}, "section 2 has no claim"),
        ({"sections": []}, "there is no section 1"),
        ({"tutorial": ""}, "no tutorial is named"),
        ({"claim": [{"section": "1", "says": "x"}]}, "needs either `rows` or"),
        (
            {"claim": [{"section": "1", "says": "x", "rows": ["a"], "untestable": "b"}]},
            "not both",
        ),
        ({"claim": [{"section": "1", "rows": ["a"]}]}, "a sentence"),
        ({"claim": [{"section": "1", "says": "x", "row": ["a"]}]}, "unknown key row"),
    ],
)
def test_ledger_that_is_wrong_is_refused_with_its_fault(change: dict[str, Any], words: str) -> None:
    assert parse_claims(LEDGER, where="t.toml")
    with pytest.raises(ContentError, match=words):
        parse_claims({**LEDGER, **change}, where="t.toml")


def results(folder: Path, cni: str, status: str, started: str = "2026-01-01") -> None:
    shown = load_shown()["lab12-zero-trust"]
    rows = [
        {"tutorial": "lab12-zero-trust", "phase": s.phase, "id": s.row.id, "status": status}
        for s in shown
    ]
    folder.mkdir(parents=True, exist_ok=True)
    document = {
        "schema_version": SCHEMA_VERSION,
        "started": started,
        "environment": {"cni": cni},
        "rows": rows,
    }
    (folder / "labs.json").write_text(json.dumps(document))


def ledger(folder: Path, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    assert main(["claims", "lab12-zero-trust", "--json", f"--results={folder}"]) == 0
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return found


def test_command_shows_each_claim_with_its_status_per_cni(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results(tmp_path, "calico", "pass")
    results(tmp_path / "cilium", "cilium", "fail")
    claims = ledger(tmp_path, capsys)

    both = next(c for c in claims if c["claim"].startswith("all pods of both"))
    assert both["status"] == "refuted, with erratum"
    assert both["errata"] == ["frontend-open"]
    assert both["cni"] == {"calico": "refuted, shown", "cilium": "refuted: NOT as shown"}


def test_without_a_run_nothing_counts_as_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    claims = ledger(tmp_path, capsys)

    assert not [c for c in claims if "shown" in str(c["cni"])]


def test_later_run_wins_and_a_row_that_was_not_checked_takes_nothing_away(tmp_path: Path) -> None:
    results(tmp_path / "1", "calico", "fail", "2026-01-01")
    results(tmp_path / "2", "calico", "pass", "2026-01-02")
    results(tmp_path / "3", "calico", "not_checked", "2026-01-03")

    assert set(read_results(tmp_path).values()) == {"pass"}


def test_unknown_tutorial_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["claims", "lab13"]) == ExitCode.USAGE
    assert "lab12-zero-trust" in capsys.readouterr().err


def test_command_prints_a_table_for_people(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["claims", f"--results={tmp_path}"]) == 0
    out = capsys.readouterr().out
    assert "make labs" in out
    for tutorial in load_claims():
        assert tutorial in out


def test_the_table_counts_the_rows_that_it_does_not_tell(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["claims", "lab12-zero-trust", f"--results={tmp_path}"]
    assert main(words) == 0
    assert "row workloads/baseline-web-server-to-secure-db-6379, and 1 more: --rows" in " ".join(
        capsys.readouterr().out.split()
    )
    assert main([*words, "--rows"]) == 0
    assert " more: --rows" not in capsys.readouterr().out


def test_results_of_an_older_policylab_are_left_out(tmp_path: Path) -> None:
    results(tmp_path / "1", "calico", "pass")
    file = tmp_path / "1" / "labs.json"
    old = {**json.loads(file.read_text(encoding="utf-8")), "schema_version": 1}
    file.write_text(json.dumps(old), encoding="utf-8")

    assert read_results(tmp_path) == {}


def test_result_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "labs.json").write_text("{", encoding="utf-8")

    with pytest.raises(ContentError, match="cannot be read"):
        read_results(tmp_path)


def test_row_without_a_claim_is_told_and_ends_with_its_own_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "labs" / "t"
    folder.mkdir(parents=True)
    table = TABLE.partition("step b")[0]
    lab = f'OUTCOMES = documented("""{table}""", source="t#1")'
    (folder / "test_01_phase.py").write_text(f"from harness.lab import documented\n{lab}\n")
    (folder / "claims.toml").write_text(ADVICE, encoding="utf-8")

    code = main(["claims", "--labs", str(tmp_path / "labs"), "--results", str(tmp_path)])

    assert code == ExitCode.DIFFERS
    assert "no claim has the row t: phase/a-x-to-y-80" in capsys.readouterr().out
