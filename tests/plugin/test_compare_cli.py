"""`policylab compare`: what it prints, what it refuses, and its exit codes."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from harness import cli
from harness.edge.files import results
from harness.exitcode import ExitCode
from tests.core.compare.test_runs import CUT, FAILED, KEPT, document
from tests.plugin.test_matrix_cli import schema

Say = pytest.CaptureFixture[str]


def written(folder: Path, *rows: Mapping[str, Any], **other: Any) -> str:
    folder.mkdir()
    (folder / "labs.json").write_text(json.dumps(document(*rows, **other)))
    return str(folder)


@pytest.fixture
def good(tmp_path: Path) -> str:
    return written(tmp_path / "good", {})


def test_nothing_differs(good: str, capsys: Say) -> None:
    assert cli.main(["compare", good, f"{good}/labs.json"]) == ExitCode.OK
    said = capsys.readouterr().out
    assert "A: " in said
    assert said.endswith("Nothing differs (1 row of 2 runs were compared).\n")


def test_difference_is_shown_with_both_answers(good: str, tmp_path: Path, capsys: Say) -> None:
    bad = written(tmp_path / "bad", FAILED)
    assert cli.main(["compare", good, bad]) == ExitCode.DIFFERS
    said = capsys.readouterr().out
    assert "differs, and nothing explains it:\n  netpol, phase deny\n" in said
    assert "    shop/client -> svc/shop/web:80 (step open)\n" in said
    assert "      A: pass; the cluster shows connected\n" in said
    assert "      B: FAIL; the cluster shows timeout; expected connected\n" in said
    assert "1 row differs: 1 without an explanation" in said


def test_quiet_comparison_is_one_line(good: str, capsys: Say) -> None:
    assert cli.main(["compare", "-q", good, good, good]) == ExitCode.OK
    assert capsys.readouterr().out == "Nothing differs (1 row of 3 runs were compared).\n"


def test_explained_difference_is_no_fault(tmp_path: Path, capsys: Say) -> None:
    runs = written(tmp_path / "a", KEPT), written(tmp_path / "b", CUT, cni="cilium")
    assert cli.main(["compare", *runs]) == ExitCode.OK
    assert "because: established (a connection" in capsys.readouterr().out


def test_row_that_one_run_lacks_gives_no_verdict(good: str, tmp_path: Path, capsys: Say) -> None:
    empty = written(tmp_path / "empty", partial=True)
    assert cli.main(["compare", good, empty]) == ExitCode.NO_VERDICT
    said = capsys.readouterr().out
    assert "B lacks rows, because the run left out rows of its tutorials" in said
    assert "      B: this run does not have the row\n" in said


def test_page_and_document_say_the_same(good: str, tmp_path: Path, capsys: Say) -> None:
    hostile = {**FAILED, "problem": "<script>alert(1)</script>\x1b[31m", "step": "a<b"}
    bad = written(tmp_path / "bad", hostile)
    page = tmp_path / "page.html"
    command = ["compare", good, bad, "--format=json", f"--html={page}"]
    assert cli.main(command) == ExitCode.DIFFERS
    found = json.loads(capsys.readouterr().out)
    jsonschema.validate(found, schema("compare"))
    assert found["summary"] == {"unexplained": 1, "unchecked": 0, "explained": 0}
    assert found["differences"][0]["answers"][1]["problem"] == "<script>alert(1)</script>"
    text = page.read_text()
    assert "1 row differs" in text
    assert "&lt;script&gt;" in text
    assert "<script>" not in text
    assert "\x1b" not in text


def test_text_of_a_file_cannot_steer_the_terminal(good: str, tmp_path: Path, capsys: Say) -> None:
    bad = written(tmp_path / "bad", {**FAILED, "problem": "\x1b]0;owned\x07\nA: pass"})
    cli.main(["compare", good, bad])
    said = capsys.readouterr().out
    assert "\x1b" not in said
    assert "\nA: pass" not in said


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "the results are not JSON"),
        ("[" * 100_000, "nested too deeply"),
        ("\xff\xfe\xfd", "the results are not JSON"),
        ("9" * 5000, "the results are not JSON"),
        ('{"schema_version": 9}', "cannot read this version"),
    ],
)
def test_bad_file_is_refused_in_words(
    content: str, says: str, good: str, tmp_path: Path, capsys: Say
) -> None:
    bad = tmp_path / "labs.json"
    bad.write_bytes(content.encode("latin-1"))
    assert cli.main(["compare", str(bad), good]) == ExitCode.USAGE
    assert says in capsys.readouterr().err


def test_large_file_is_refused(good: str, capsys: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "MAX_MIB", 0)
    assert cli.main(["compare", good, good]) == ExitCode.USAGE
    assert "the results are larger than 0 MiB" in capsys.readouterr().err


def test_what_is_no_file_is_refused_and_not_waited_for(
    good: str, tmp_path: Path, capsys: Say
) -> None:
    os.mkfifo(tmp_path / "labs.json")
    for path in (tmp_path, tmp_path / "nowhere"):
        assert cli.main(["compare", good, str(path)]) == ExitCode.USAGE
        assert "there are no results" in capsys.readouterr().err


@pytest.mark.parametrize("count", [1, 13])
def test_number_of_runs_is_bounded(count: int, good: str, capsys: Say) -> None:
    assert cli.main(["compare", *[good] * count]) == ExitCode.USAGE
    assert "compares 2 to 12 runs" in capsys.readouterr().err
