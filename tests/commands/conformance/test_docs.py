"""What docs/conformance.md names is there: its commands, its options and its files."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from harness import cli
from harness.cli import parser_of

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "conformance.md").read_text(encoding="utf-8")
OF_OTHERS = ("--whole", "--ignore-loopback", "python -m ")
"""Options of the benchmark and of Cyclonus."""


@pytest.mark.parametrize("line", re.findall(r"^\$ policylab (.+)$", TEXT, re.MULTILINE))
def test_a_command_of_the_page_is_one_of_policylab(line: str) -> None:
    words = shlex.split(line)
    if words[0] == "report":
        words = [" ".join(words[:2]), *words[2:]]

    assert parser_of(words[:1]).parse_args(words).run


def test_an_option_of_the_page_is_one_of_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["conformance"], ["report", "merge"]):
        with pytest.raises(SystemExit):
            cli.main([*words, "--help"])
    there = set(re.findall(r"--[a-z-]+", capsys.readouterr().out))

    for code in re.findall(r"`([^`\n]+)`", TEXT):
        if not code.startswith(OF_OTHERS):
            assert set(re.findall(r"(?<!\S)--[a-z-]+", code)) <= there, code


def test_a_file_of_the_page_is_there() -> None:
    code = re.findall(r"`([^`\n]+)`|^\$ (?:kubectl|sed) (.+)$", TEXT, re.MULTILINE)
    names = re.findall(r"(?<![\w/])(?:harness|tests|manifests)/[\w/.-]+", str(code))

    assert {name for name in names if not (ROOT / name).exists()} == set()
    assert "manifests/conformance/job.yaml" in names
