"""`policylab whatif`: what it prints, and the exit code by which a CI job decides."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from harness import cli
from harness.exitcode import ExitCode
from tests.core.compare.test_change import LISTED, PODS, POLICY, WEB
from tests.plugin.test_matrix_cli import schema

SHUT = POLICY.replace("[FROM]", "[{podSelector: {matchLabels: {a: b}}}]")


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return written(tmp_path / "old", WEB)


def written(folder: Path, text: str) -> Path:
    folder.mkdir()
    (folder / "all.yaml").write_text(text)
    return folder


def test_equal_behaviour_is_one_sentence(
    old: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = written(tmp_path / "new", WEB.replace("{app: web}}}", "{app: web, }}}"))

    assert cli.main(["whatif", str(other), "--against", str(old), "-q"]) == ExitCode.OK

    assert capsys.readouterr().out.startswith("Both states behave alike: no flow opens, closes")


def test_policy_alone_is_applied_over_the_state_and_a_wanted_flow_closes(
    old: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = written(tmp_path / "new", SHUT.removeprefix("\n---"))
    wanted = tmp_path / "wanted.yaml"
    wanted.write_text(LISTED)

    command = ["whatif", str(new), "--against", str(old), "--wanted", str(wanted)]

    assert cli.main(command) == ExitCode.DIFFERS
    said = capsys.readouterr().out
    assert "applied over it" in said
    assert "  wanted: shop/web -> shop/api: TCP 8080\n" in said


def test_seen_flow_that_closes_counts_as_a_wanted_one(old: Path, tmp_path: Path) -> None:
    new = written(tmp_path / "new", SHUT.removeprefix("\n---"))
    seen = tmp_path / "seen.yaml"
    seen.write_text(LISTED)

    assert cli.main(["whatif", str(new), "--against", str(old)]) == ExitCode.OK
    assert cli.main(["whatif", str(new), "--against", str(old), "--seen", str(seen)]) == 1


def test_folder_with_pods_takes_the_place_and_a_missing_policy_opens(
    old: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = written(tmp_path / "new", PODS)

    assert cli.main(["whatif", str(new), "--against", str(old)]) == ExitCode.OK
    assert "opens:" in capsys.readouterr().out
    assert cli.main(["whatif", str(new), "--against", str(old), "--over", "-q"]) == ExitCode.OK
    assert "Both states behave alike" in capsys.readouterr().out


def test_policy_that_selects_nobody_is_no_quiet_success(
    old: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = SHUT.removeprefix("\n---").replace("{app: api}", "{app: apy}")
    text = text.replace("name: api", "name: x")
    new = written(tmp_path / "new", text)

    assert cli.main(["whatif", str(new), "--against", str(old)]) == ExitCode.OK
    assert "note: shop/x selects no pod that was read" in capsys.readouterr().out


def test_document_is_valid_by_its_schema(
    old: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = written(tmp_path / "new", PODS)

    cli.main(["whatif", str(new), "--against", str(old), "--format", "json"])

    document = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator(schema("whatif")).validate(document)
    assert {one["turn"] for one in document["changes"]} == {"opens"}
    assert document["equal"] is False


def test_list_that_cannot_be_read_is_a_wrong_command_line(old: Path) -> None:
    command = ["whatif", str(old), "--against", str(old), "--seen", "/nowhere/seen.yaml"]

    assert cli.main(command) == ExitCode.USAGE
