"""Labs on several processes (`-n 2`): tutorials side by side, one report, and no crash."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.edge.machine.wait import NotYet, wait_for
from harness.errors import NotSettled
from harness.exitcode import ExitCode

pytest_plugins = ["pytester"]

MANIFEST = """
apiVersion: v1
kind: Namespace
metadata: {name: SHOP}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: SHOP, labels: {app: web}}
spec:
  containers: [{name: web, image: nginx, ports: [{containerPort: 80}]}]
---
apiVersion: v1
kind: Pod
metadata: {name: client, namespace: SHOP, labels: {app: client}}
spec:
  containers: [{name: client, image: toolbox}]
"""
DENY = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny, namespace: SHOP}
spec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress]}
"""
LAB = '''
from harness.lab import documented

OUTCOMES = documented("""
step open: 01-pods

| from        | to              | tutorial says | why                |
|-------------|-----------------|---------------|--------------------|
| SHOP/client | pod/SHOP/web:80 | connected     | nothing selects it |

step deny: 01-pods, 02-deny

| from        | to              | tutorial says | why             |
|-------------|-----------------|---------------|-----------------|
| SHOP/client | pod/SHOP/web:80 | timeout       | web is isolated |
""", source="SHOP#1")


@OUTCOMES.each_row
def test_shop(row, observed):
    assert observed == row.outcome, row.why
'''
CONFTEST = """
import os, time
from pathlib import Path

import pytest
from harness.core.outcome import Outcome, Reading
from harness.core.observation import Observation
from harness.errors import ClusterNotReady, ProbeError

pytest_plugins = ["harness.plugin.labs"]
HERE = Path(__file__).parent


class Script:
    def observe(self, row):
        worker = os.environ.get("PYTEST_XDIST_WORKER", "alone")
        with (HERE / "log").open("a") as log:
            log.write(f"{{worker}} {{row.source.namespace}} {{row.step}}\\n")
        {body}


@pytest.fixture(scope="session")
def lab_plays(request):
    from collections import defaultdict
    from harness.plugin.stopping import stopping
    {before}
    yield defaultdict(Script)
    {after}
"""
HONEST = """if row.step == "open":
            return Observation(Reading(Outcome.CONNECTED))
        return Observation(Reading(Outcome.TIMEOUT), control=Reading(Outcome.CONNECTED))"""
TUTORIALS = ("shop", "mall", "kiosk")


def project(
    pytester: pytest.Pytester, body: str = HONEST, before: str = "pass", after: str = "pass"
) -> None:
    conftest = CONFTEST.format(body=body, before=before, after=after)
    files = {
        "conftest.py": conftest,
        "pytest.ini": "[pytest]\naddopts = --import-mode=importlib -p no:cacheprovider\n",
    }
    for name in TUTORIALS:
        files |= {
            f"manifests/{name}/01-pods.yaml": MANIFEST.replace("SHOP", name),
            f"manifests/{name}/02-deny.yaml": DENY.replace("SHOP", name),
            f"labs/{name}/test_01_open.py": LAB.replace("SHOP", name),
            f"labs/{name}/test_02_more.py": LAB.replace("SHOP", name),
        }
    for file, text in files.items():
        (pytester.path / file).parent.mkdir(parents=True, exist_ok=True)
        (pytester.path / file).write_text(text, encoding="utf-8")


def run(pytester: pytest.Pytester, *args: str) -> pytest.RunResult:
    return pytester.runpytest_subprocess("labs", "-n2", *args)


def document(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((path / "results" / "latest" / "labs.json").read_text())
    return found


def statuses(path: Path) -> list[str]:
    return [row["status"] for row in document(path)["rows"]]


def log(path: Path) -> list[list[str]]:
    return [line.split() for line in (path / "log").read_text().splitlines()]


def test_workers_write_one_report_and_each_tutorial_stays_in_one_worker(
    pytester: pytest.Pytester,
) -> None:
    project(pytester)

    result = run(pytester)

    assert result.ret == 0
    result.assert_outcomes(passed=12)
    result.stdout.fnmatch_lines(["*12 rows: 12 pass*", "Results: *"])
    assert statuses(pytester.path) == ["pass"] * 12
    assert [row["tutorial"] for row in document(pytester.path)["rows"]] == [
        name for name in sorted(TUTORIALS) for _ in range(4)
    ]
    assert len(list((pytester.path / "results").iterdir())) == 3  # the run and two links
    found = log(pytester.path)
    assert {worker for worker, *_ in found} == {"gw0", "gw1"}
    for name in TUTORIALS:
        mine = [(worker, step) for worker, tutorial, step in found if tutorial == name]
        assert len({worker for worker, _ in mine}) == 1
        assert [step for _, step in mine] == ["open", "deny"] * 2


def test_report_is_the_same_as_without_workers(pytester: pytest.Pytester) -> None:
    body = """if row.source.namespace == "mall":
            raise ProbeError("curl is gone")
        return Observation(Reading(Outcome.CONNECTED))"""
    project(pytester, body)
    codes, rows = set(), []
    for args in ([], ["-n2"]):
        codes.add(pytester.runpytest_subprocess("labs", *args).ret)
        rows.append([{**row, "seconds": 0} for row in document(pytester.path)["rows"]])

    assert codes == {ExitCode.DIFFERS}
    assert rows[0] == rows[1]
    assert {row["status"] for row in rows[0]} == {"pass", "fail", "not_checked"}


def test_fault_of_the_cluster_stops_the_run_with_one_message_and_no_crash(
    pytester: pytest.Pytester,
) -> None:
    before = """with stopping(request):
        raise ClusterNotReady("nothing is enforced", seen="connected")"""
    project(pytester, before=before)

    result = run(pytester)

    said = result.stdout.str()
    assert result.ret == ExitCode.FAULT
    assert "nothing is enforced" in said
    assert "keyboard-interrupt" not in said
    assert "INTERNALERROR" not in said
    assert "crashed" not in said
    assert set(statuses(pytester.path)) == {"not_checked"}
    assert not (pytester.path / "log").exists()


@pytest.mark.parametrize(
    ("name", "word", "code"),
    [
        ("labs/mall/test_01_open.py", "timeout", ExitCode.USAGE),
        ("manifests/mall/02-deny.yaml", "podSelector", ExitCode.PYTEST_USAGE),
    ],
)
def test_wrong_lab_stops_the_run_before_anything_is_touched(
    pytester: pytest.Pytester, name: str, word: str, code: ExitCode
) -> None:
    project(pytester)
    file = pytester.path / name
    file.write_text(
        file.read_text().replace(f"{word} ", f"{word}s ").replace(f"{word}:", f"{word}s:")
    )

    result = run(pytester)

    assert result.ret == code
    told = result.stdout.str() + result.stderr.str()
    assert f"did you mean `{word}`" in told
    assert "INTERNALERROR" not in told
    assert not (pytester.path / "log").exists()
    assert not (pytester.path / "results").exists()


def test_failure_while_a_worker_tidies_up_is_a_fault(pytester: pytest.Pytester) -> None:
    project(pytester, after='raise ClusterNotReady("the namespace stays")')

    assert run(pytester).ret == ExitCode.FAULT
    assert set(statuses(pytester.path)) == {"pass"}


def test_worker_that_crashes_is_no_verdict_even_if_its_rows_pass_the_second_time(
    pytester: pytest.Pytester,
) -> None:
    body = f"""if row.source.namespace == "mall" and not (HERE / "crashed").exists():
            (HERE / "crashed").touch()
            os._exit(1)
        {HONEST}"""
    project(pytester, body)

    result = run(pytester)

    assert result.ret == ExitCode.NO_VERDICT
    assert "crashed" in result.stdout.str()
    assert "INTERNALERROR" not in result.stdout.str()


def test_chosen_rows_alone_are_checked_by_however_many_workers(pytester: pytest.Pytester) -> None:
    project(pytester)

    assert run(pytester, "-k", "open and mall", "-n3").ret == 0
    found = document(pytester.path)
    assert found["partial"] is True
    assert {row["tutorial"] for row in found["rows"]} == {"mall"}


def test_each_worker_running_each_tutorial_is_refused(pytester: pytest.Pytester) -> None:
    project(pytester)

    result = run(pytester, "--dist=each")

    assert result.ret == ExitCode.PYTEST_USAGE
    assert "--dist=each" in result.stderr.str()
    assert not (pytester.path / "log").exists()


def test_other_tests_are_scheduled_as_ever(pytester: pytest.Pytester) -> None:
    project(pytester)
    pytester.makepyfile(test_other="def test_one(): pass\ndef test_two(): pass")

    result = pytester.runpytest_subprocess("test_other.py", "-n2", "-v")

    assert result.ret == 0
    result.stdout.fnmatch_lines(["*scheduling tests via LoadScheduling*"])
    assert not (pytester.path / "results").exists()


def test_labs_out_of_their_folder_are_refused_with_workers(pytester: pytest.Pytester) -> None:
    project(pytester)
    (pytester.path / "labs").rename(pytester.path / "lessons")

    result = pytester.runpytest_subprocess("lessons", "-n2")

    assert result.ret == ExitCode.USAGE
    assert "leave out -n" in result.stdout.str()
    assert "INTERNALERROR" not in result.stdout.str()
    assert not (pytester.path / "log").exists()


@pytest.mark.usefixtures("not_measured")
@pytest.mark.parametrize("whole_group", [True, False], ids=["Ctrl-C", "SIGTERM"])
def test_interrupt_keeps_what_was_found_and_lets_workers_tidy_up(
    pytester: pytest.Pytester, whole_group: bool
) -> None:
    body = f"""if row.source.namespace == "shop":
            time.sleep(60)
        {HONEST}"""
    after = "(HERE / f\"tidied-{os.environ['PYTEST_XDIST_WORKER']}\").touch()"
    project(pytester, body, after=after)
    printed = pytester.path / "printed"
    with printed.open("w", encoding="utf-8") as output:
        run = subprocess.Popen(
            [sys.executable, "-m", "pytest", "labs", "-n2", "-v"],
            cwd=pytester.path, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip

    def others_are_done() -> None:
        if (told := printed.read_text(encoding="utf-8").count(" PASSED ")) < 8:
            raise NotYet(f"{told} of 8 rows of the other tutorials are done")
        if len(log(pytester.path)) < 9:
            raise NotYet("the row that hangs has not begun")

    try:
        wait_for("all rows of the other tutorials are done", others_are_done, seconds=60)
    except NotSettled:
        run.kill()
        run.wait()
        pytest.fail(printed.read_text(encoding="utf-8"))
    if whole_group:  # as a terminal does
        os.killpg(run.pid, signal.SIGINT)
    else:  # as a CI job does
        run.send_signal(signal.SIGTERM)
    try:
        run.wait(timeout=60)
    finally:
        run.kill()
    said = printed.read_text(encoding="utf-8")

    assert run.returncode == ExitCode.INTERRUPTED, said
    assert "INTERNALERROR" not in said
    assert document(pytester.path)["interrupted"] is True
    assert statuses(pytester.path).count("pass") == 8
    assert {path.name for path in pytester.path.glob("tidied-*")} == {"tidied-gw0", "tidied-gw1"}
