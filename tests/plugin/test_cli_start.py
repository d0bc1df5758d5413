"""The command imports a verb's module when that verb is chosen, so that it answers at once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from harness import cli

ROOT = Path(__file__).parents[2]
SLOW = ("kubernetes", "pykube", "pytest", "jinja2", "tenacity", "cryptography", "zstandard")
FILES = ("--manifests", "manifests/netpol-by-example", "--apply", "01-workloads,02-default-deny")
PROGRAM = """
import json, sys
from harness import cli
code = cli.main(json.loads(sys.argv[1]))
found = sorted(set(json.loads(sys.argv[2])) & set(sys.modules))
print("loaded:", found, file=sys.stderr)
sys.exit(code)
"""


@pytest.mark.parametrize(
    "command",
    [
        ("explain", *FILES),
        ("explain", *FILES, "prod-nginx/debug", "pod/prod-nginx/nginx-deployment-1:80"),
        ("matrix", *FILES),
        ("dns", *FILES, "prod-nginx/debug", "google.com"),
        ("privilege", *FILES, "--wanted", "none.yaml"),
        ("check", "lab12", "assignments/lab12/reference.yaml"),
    ],
    ids=lambda command: f"{command[0]} {command[-1]}",
)
def test_a_verb_that_reads_files_imports_nothing_that_a_cluster_needs(
    command: tuple[str, ...],
) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(command), json.dumps(SLOW)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert "loaded: []" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "there is no manifest" not in ended.stderr


def test_help_lists_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["--help"])

    assert ended.value.code == 0
    told = capsys.readouterr().out
    assert [verb for verb in cli.VERBS if verb not in told] == []


def test_an_unknown_verb_is_answered_with_all_verbs(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["explan"])

    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert [verb for verb in cli.VERBS if verb not in told] == []


@pytest.mark.parametrize("verb", cli.VERBS)
def test_each_verb_is_in_the_module_that_is_imported_for_it(
    verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([verb, "--help"])

    assert ended.value.code == 0
    shown = "explain" if verb == "diagnose" else verb
    assert f"usage: policylab {shown}" in capsys.readouterr().out
