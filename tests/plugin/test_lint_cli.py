"""`policylab lint`: files, folders and stdin, its forms, and its exit codes."""

from __future__ import annotations

import io
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness import cli
from harness.exitcode import ExitCode
from tests.core.lint.test_sides import API_TO_DB, DB_FROM_API, WORLD
from tests.core.lint.worlds import policy

GOOD = "---\n".join([*WORLD, policy("zone/a", API_TO_DB), policy("zone/b", DB_FROM_API)])
BAD = "---\n".join([*WORLD, policy("zone/a", API_TO_DB)])
UNREAD = """\
apiVersion: policy.networking.k8s.io/v1alpha1
kind: AdminNetworkPolicy
metadata: {name: first}
spec: {}
"""
ELSEWHERE = """\
apiVersion: k8s.ovn.org/v1
kind: EgressFirewall
metadata: {name: default, namespace: far}
spec: {}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "inner").mkdir()
    (tmp_path / "a.yaml").write_text("---\n".join(WORLD), encoding="utf-8")
    (tmp_path / "b.yml").write_text(policy("zone/a", API_TO_DB), encoding="utf-8")
    (tmp_path / "inner" / "c.yaml").write_text(policy("zone/b", DB_FROM_API), encoding="utf-8")
    return tmp_path


def file_of(tmp_path: Path, text: str) -> str:
    path = tmp_path / "all.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param(GOOD, ExitCode.OK, id="nothing was found"),
        pytest.param(BAD, ExitCode.DIFFERS, id="a finding"),
        pytest.param("kind: [", ExitCode.USAGE, id="not YAML"),
        pytest.param(f"{GOOD}---\n{UNREAD}", ExitCode.NO_VERDICT, id="an object was not read"),
        pytest.param(f"{BAD}---\n{UNREAD}", ExitCode.NO_VERDICT, id="it could change a finding"),
        pytest.param(f"{BAD}---\n{ELSEWHERE}", ExitCode.DIFFERS, id="it could change nothing"),
    ],
)
def test_the_exit_code_is_that_of_the_table(tmp_path: Path, text: str, code: ExitCode) -> None:
    assert cli.main(["lint", file_of(tmp_path, text)]) is code


def test_a_file_that_is_not_there_is_bad_usage(tmp_path: Path) -> None:
    assert cli.main(["lint", str(tmp_path / "none.yaml")]) is ExitCode.USAGE


def test_a_folder_is_one_state_without_the_folders_inside(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["lint", str(folder)]) is ExitCode.DIFFERS
    assert str(folder / "b.yml") in capsys.readouterr().out

    assert cli.main(["lint", "-R", str(folder)]) is ExitCode.OK


def test_several_files_are_one_state(folder: Path) -> None:
    files = [str(folder / name) for name in ("a.yaml", "b.yml", "inner/c.yaml")]

    assert cli.main(["lint", *files]) is ExitCode.OK


def test_stdin_is_read_and_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stdin = SimpleNamespace(buffer=io.BytesIO(BAD.encode()))
    monkeypatch.setattr("sys.stdin", stdin)

    assert cli.main(["lint", "-"]) is ExitCode.DIFFERS
    assert capsys.readouterr().out.startswith("stdin\n")


@pytest.mark.parametrize("asked", [["--format", "json"], ["--json"]])
def test_json_is_the_document(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], asked: list[str]
) -> None:
    cli.main(["lint", file_of(tmp_path, BAD), *asked])

    document = json.loads(capsys.readouterr().out)
    assert document["summary"]["by_rule"] == {"void-by-other-side": 1}


def test_sarif_is_one_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["lint", file_of(tmp_path, BAD), "--format", "sarif"])

    assert json.loads(capsys.readouterr().out)["version"] == "2.1.0"


def test_github_gets_one_line_for_each_finding(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cli.main(["lint", file_of(tmp_path, BAD), "--format", "github"])

    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("::warning file=")


def test_quiet_says_nothing_where_nothing_was_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["lint", "-q", file_of(tmp_path, GOOD)]) is ExitCode.OK
    assert capsys.readouterr().out == ""


def test_there_are_no_colours_where_there_is_no_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cli.main(["lint", file_of(tmp_path, BAD)])

    assert "\x1b" not in capsys.readouterr().out


def test_less_sure_findings_are_shown_and_counted_only_if_asked_for(tmp_path: Path) -> None:
    text = GOOD + "---\n" + policy("zone/later", "  podSelector: {matchLabels: {app: soon}}\n")
    file = file_of(tmp_path, text)

    assert cli.main(["lint", file]) is ExitCode.OK
    assert cli.main(["lint", "--sure", "possible", file]) is ExitCode.DIFFERS


def test_an_object_that_comes_twice_counts_as_the_later_one_and_is_named(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "z.yaml").write_text(policy("zone/a", "  podSelector: {}\n"), encoding="utf-8")

    cli.main(["lint", str(folder)])

    assert "NetworkPolicy zone a of" in capsys.readouterr().out


def test_files_of_the_same_name_in_three_folders_are_all_read(tmp_path: Path) -> None:
    for number, text in enumerate([*WORLD, policy("zone/a", API_TO_DB)]):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "x.yaml").write_text(text, encoding="utf-8")

    assert cli.main(["lint", "-R", str(tmp_path)]) is ExitCode.DIFFERS


def test_help_explains_every_rule(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["lint", "--help"])

    out = capsys.readouterr().out
    assert "void-by-other-side" in out
    assert "# policylab: ignore RULE reason" in out
