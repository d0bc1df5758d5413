"""`pytest labs/ --lab-offline`: what tutorials say against what is predicted, without a cluster."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from harness.edge.files.labs import load_claims
from harness.exitcode import ExitCode
from tests.plugin.test_plugin import DENY, LAB, MANIFEST

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "harness" / "report" / "templates" / "labs.schema.json"
CONFTEST = """
import pytest

pytest_plugins = ["harness.plugin.labs"]


@pytest.fixture(scope="session")
def lab_plays():
    raise RuntimeError("a run without a cluster asked for the cluster")
"""
OPEN = LAB.replace(
    "| shop/client | pod/shop/web:80 | timeout       | web is isolated |",
    "| shop/client | pod/shop/web:80 | timeout       | web is isolated |\n"
    "| shop/client | ping/pod/shop/web | timeout | ICMP is open |",
)


def run(
    pytester: pytest.Pytester, *args: str, lab: str = LAB, conftest: str = CONFTEST
) -> pytest.RunResult:
    contents = {
        "conftest.py": conftest,
        "pytest.ini": "[pytest]\naddopts = --import-mode=importlib -p no:cacheprovider\n",
        "manifests/shop/01-pods.yaml": MANIFEST,
        "manifests/shop/02-deny.yaml": DENY,
        "labs/shop/test_01_shop.py": lab,
    }
    for name, text in contents.items():
        file = pytester.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return pytester.runpytest_inprocess("labs", *args)


def document(path: Path) -> dict[str, Any]:
    text = (path / "results" / "latest" / "labs.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    jsonschema.validate(found, json.loads(SCHEMA.read_text(encoding="utf-8")))
    return found


def test_rows_that_are_predicted_as_documented_are_not_observed_and_never_a_pass(
    pytester: pytest.Pytester,
) -> None:
    result = run(pytester, "--lab-offline")

    assert result.ret == ExitCode.OK
    found = document(pytester.path)
    assert found["offline"] is True
    assert [row["status"] for row in found["rows"]] == ["not_observed", "not_observed"]
    assert [row["observed"] for row in found["rows"]] == [None, None]
    assert found["environment"]["cni"] == "calico"  # a table's outcomes depend on it
    result.stdout.fnmatch_lines(["*2 not observed in *"])
    shown = [result.stdout.str()]
    folder = pytester.path / "results" / "latest"
    shown += [(folder / name).read_text(encoding="utf-8") for name in ("summary.md", "report.html")]
    for text in shown:
        assert text.count("not observed") >= 4  # the status and the cluster's column of each row
        assert "no cluster was asked" in text
        assert "pass\n" not in text
        assert "passed" not in text
    assert (pytester.path / "results" / "latest-offline").is_symlink()


def test_a_table_that_contradicts_the_prediction_fails(pytester: pytest.Pytester) -> None:
    wrong = LAB.replace("timeout       | web is isolated", "connected     | web is isolated")
    result = run(pytester, "--lab-offline", lab=wrong)

    assert result.ret == ExitCode.DIFFERS
    assert [row["status"] for row in document(pytester.path)["rows"]] == ["not_observed", "fail"]
    result.stdout.fnmatch_lines(
        ["*the table expects connected, the policies predict timeout*", "*1 row failed*"]
    )


def test_a_row_without_a_prediction_is_not_checked_offline(pytester: pytest.Pytester) -> None:
    result = run(pytester, "--lab-offline", "-v", lab=OPEN)

    assert result.ret == ExitCode.OK
    found = [row["status"] for row in document(pytester.path)["rows"]]
    assert found == ["not_observed", "not_observed", "not_checked_offline"]
    result.stdout.fnmatch_lines(["*NOT CHECKED OFFLINE*", "*1 not checked offline*"])


def test_labs_for_one_cni_are_predicted_for_it(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        "--lab-offline",
        "--lab-cni=calico",
        lab=LAB.replace('source="shop#1"', 'source="shop#1", cni="cilium"'),
    )

    assert result.ret == ExitCode.OK
    assert len(document(pytester.path)["rows"]) == 2


def test_the_environment_variable_asks_for_it_too(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POLICYLAB_OFFLINE", "yes")

    assert run(pytester).ret == ExitCode.OK
    assert document(pytester.path)["offline"] is True


def test_a_context_contradicts_it(pytester: pytest.Pytester) -> None:
    result = run(pytester, "--lab-offline", "--lab-context=mine")

    assert result.ret == ExitCode.PYTEST_USAGE
    result.stderr.fnmatch_lines(["*--lab-offline asks no cluster*"])


def test_a_cluster_that_cannot_be_had_is_told_with_this_offer(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        "--lab-context=nowhere",
        f"--kubeconfig={pytester.path / 'missing'}",
        conftest='pytest_plugins = ["harness.plugin.labs"]\n',
    )

    assert result.ret == ExitCode.FAULT
    text = " ".join((result.stdout.str() + result.stderr.str()).split())
    assert "Without a cluster, `pytest labs/ --lab-offline` compares" in text


def test_every_row_of_the_tutorials_is_predicted_without_what_a_cluster_needs(
    tmp_path: Path,
) -> None:
    program = (
        "import sys, pytest\n"
        f"code = pytest.main(['labs', '--lab-offline', '-q', '--lab-report-dir={tmp_path}'])\n"
        "heavy = {'kubernetes', 'tenacity', 'cryptography', 'harness.plays', 'harness.edge.api'}\n"
        "print('loaded:', sorted(heavy & set(sys.modules)))\n"
        "sys.exit(code)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )

    assert ended.returncode == ExitCode.OK, ended.stdout
    assert "loaded: []" in ended.stdout
    found = json.loads((tmp_path / "latest" / "labs.json").read_text(encoding="utf-8"))
    assert found["summary"]["not_observed"] > 250
    assert {row["tutorial"] for row in found["rows"]} == load_claims().keys()
