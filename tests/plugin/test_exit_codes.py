"""Exit codes: one table, no code with two meanings, and one place that prints an error."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harness import cli, errors
from harness.errors import HarnessError
from harness.exitcode import ExitCode, exit_code_of, table
from harness.program import end_of

ROOT = Path(__file__).parents[2]


def ending(error: BaseException, **more: str) -> ExitCode:
    def work() -> ExitCode:
        raise error

    return end_of("policylab", work, **more)


def test_no_code_has_two_meanings_and_no_meaning_has_two_codes() -> None:
    assert len({code.value for code in ExitCode}) == len(list(ExitCode))
    assert len({code.meaning for code in ExitCode}) == len(list(ExitCode))


def test_codes_that_pytest_chooses_mean_the_same_here() -> None:
    same = {
        ExitCode.OK: pytest.ExitCode.OK,
        ExitCode.DIFFERS: pytest.ExitCode.TESTS_FAILED,
        ExitCode.NO_VERDICT: pytest.ExitCode.INTERNAL_ERROR,
        ExitCode.PYTEST_USAGE: pytest.ExitCode.USAGE_ERROR,
        ExitCode.PYTEST_NO_TESTS: pytest.ExitCode.NO_TESTS_COLLECTED,
    }

    assert [code.value for code in same] == [code.value for code in same.values()]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.ManifestError("x"), ExitCode.USAGE),
        (errors.OutcomeTableError("x"), ExitCode.USAGE),
        (errors.ContentError("x"), ExitCode.USAGE),
        (errors.ToolMissing("x"), ExitCode.FAULT),
        (errors.ClusterNotReady("x"), ExitCode.FAULT),
        (errors.NotSettled("x"), ExitCode.FAULT),
        (errors.ProbeError("x"), ExitCode.NO_VERDICT),
    ],
)
def test_error_that_policylab_raises_has_its_code(error: HarnessError, code: ExitCode) -> None:
    assert exit_code_of(error) is code
    assert ending(error) is code


def test_error_is_printed_once_with_its_four_parts(capsys: pytest.CaptureFixture[str]) -> None:
    try_ = f"kubectl --kubeconfig {'/long' * 40} get pods -A"
    ending(errors.ClusterNotReady("no node is ready", where="kind", seen="0 of 1", try_=try_))

    said = capsys.readouterr().err
    assert said.splitlines() == [
        "policylab: no node is ready",
        "  where: kind",
        "  seen:  0 of 1",
        f"  try:   {try_}",
    ]


def test_bug_is_never_the_code_that_says_differs(capsys: pytest.CaptureFixture[str]) -> None:
    assert ending(KeyError("x")) is ExitCode.NO_VERDICT
    said = capsys.readouterr().err
    assert "Traceback" in said
    assert "this is a bug in policylab" in said


def test_interrupt_says_what_became_of_half_made_things_only_if_a_verb_makes_some(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert ending(KeyboardInterrupt()) is ExitCode.INTERRUPTED
    assert capsys.readouterr().err == "policylab: interrupted.\n"
    assert ending(KeyboardInterrupt(), after_interrupt="It was deleted.") is ExitCode.INTERRUPTED
    assert capsys.readouterr().err == "policylab: interrupted. It was deleted.\n"


def test_sigterm_ends_as_ctrl_c_does() -> None:
    def work() -> ExitCode:
        os.kill(os.getpid(), signal.SIGTERM)
        return ExitCode.OK

    assert end_of("policylab", work) is ExitCode.INTERRUPTED


@pytest.mark.parametrize(
    "words",
    [["cluster", "fly"], ["watch", "shop", "--seconds", "-1"], ["fuzz", "--n", "0"], []],
)
def test_bad_usage_that_argparse_finds_has_the_code_for_bad_usage(words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(words)

    assert ended.value.code == ExitCode.USAGE


def test_help_and_readme_have_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--help"])

    assert table() in capsys.readouterr().out
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for code in ExitCode:
        assert f"| {code.value} | {code.meaning} |" in readme


def verbs() -> list[list[str]]:
    return [
        [], ["cluster", "up"], ["cluster", "down"], ["cluster", "status"], ["images", "build"],
        ["images", "save"], ["images", "load"], ["claims"], ["diagnose"], ["privilege"],
        ["probe"], ["watch"], ["fuzz"], ["doctor"], ["compare"],
    ]  # fmt: skip


@pytest.mark.parametrize("words", verbs(), ids=" ".join)
def test_every_option_of_every_verb_has_a_help_text(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        cli.main([*words, "--help"])

    lines = capsys.readouterr().out.splitlines()
    entries = [number for number, line in enumerate(lines) if line.startswith("  -")]
    assert entries
    for number in entries:
        explained = "  " in lines[number].strip() or lines[number + 1].startswith(" " * 20)
        assert explained, lines[number]


def test_reader_that_goes_away_is_no_verdict_and_no_traceback() -> None:
    script = (
        "import sys\n"
        "from harness.exitcode import ExitCode\n"
        "from harness.program import end_of\n"
        "def work():\n"
        "    for _ in range(100_000):\n"
        "        print('x' * 80)\n"
        "    return ExitCode.OK\n"
        "sys.exit(end_of('policylab', work))\n"
    )
    program = subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert program.stdout is not None
    assert program.stderr is not None
    program.stdout.readline()
    program.stdout.close()
    said = program.stderr.read().decode()
    program.stderr.close()

    assert program.wait(30) == ExitCode.NO_VERDICT
    assert "Traceback" not in said
    assert "no verdict" in said
