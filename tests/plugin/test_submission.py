"""`pytest labs/ --lab-submission=DIR`: an assignment's rows as tests of one submission."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.edge.grading.assignments import folder_of
from harness.exitcode import ExitCode

pytest_plugins = ["pytester"]

REFERENCE = (folder_of("lab12") / "reference.yaml").read_text(encoding="utf-8")
FQDN = (folder_of("cilium-fqdn") / "reference.yaml").read_text(encoding="utf-8")
CONFTEST = 'pytest_plugins = ["harness.plugin.labs"]\n'
LAB = "raise SystemExit('a lab was read')\n"


def run(pytester: pytest.Pytester, text: str, *args: str) -> pytest.RunResult:
    contents = {
        "conftest.py": CONFTEST,
        "pytest.ini": "[pytest]\naddopts = --import-mode=importlib -p no:cacheprovider\n",
        "labs/shop/test_01_shop.py": LAB,
        "mine/policies.yaml": text,
        "mine/conftest.py": "raise SystemExit('a submission was executed')\n",
        "mine/pytest.ini": "[pytest]\naddopts = --version\n",
    }
    for name, content in contents.items():
        file = pytester.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
    return pytester.runpytest_inprocess("labs", "--lab-submission=mine", *args)


def test_each_row_is_a_test_and_no_lab_is_read(pytester: pytest.Pytester) -> None:
    result = run(pytester, REFERENCE, "--lab-offline", "-v")

    assert result.ret == ExitCode.OK
    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines(["*lab12::web-to-api PASSED*"])


def test_a_wrong_row_fails_with_its_flow_its_cause_and_its_hint(pytester: pytest.Pytester) -> None:
    result = run(pytester, REFERENCE.replace("port: 6379", "port: 5432"), "--lab-offline")

    assert result.ret == ExitCode.DIFFERS
    result.assert_outcomes(passed=2, failed=2)
    result.stdout.fnmatch_lines(["*on TCP 6379 is closed, and must be open", "*hint: Both pods*"])


def test_rows_are_chosen_as_tests_are(pytester: pytest.Pytester) -> None:
    wrong = REFERENCE.replace("port: 6379", "port: 5432")
    result = run(pytester, wrong, "--lab-offline", "-k", "web or dns", "--junitxml=rows.xml")

    assert result.ret == ExitCode.OK
    result.assert_outcomes(passed=2, deselected=2)
    assert "web-to-api" in Path(pytester.path, "rows.xml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "args", "words"),
    [
        ("a: [", ["--lab-offline", "--lab-assignment=lab12"], "policies.yaml:"),
        ("kind: Pod", ["--lab-offline"], "--lab-assignment=NAME"),
        (REFERENCE, ["--lab-offline", "--lab-assignment=lab21"], "did you mean `lab12`?"),
        (FQDN, [], "cannot be graded on calico: add --lab-cni=cilium"),
        (REFERENCE, ["-n1"], "leave -n out"),
    ],
)
def test_what_cannot_be_graded_is_said_before_any_test(
    text: str, args: list[str], words: str, pytester: pytest.Pytester
) -> None:
    result = run(pytester, text, *args)

    assert result.ret == ExitCode.PYTEST_USAGE
    assert words in "\n".join([*result.errlines, *result.outlines])
