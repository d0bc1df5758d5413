"""The plugin as pytest runs it: a small project, a stage that answers from a script."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.edge.cluster.lane import KUBERNETES
from harness.exitcode import ExitCode

pytest_plugins = ["pytester"]

MANIFEST = """
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec:
  containers: [{name: web, image: nginx, ports: [{containerPort: 80}]}]
---
apiVersion: v1
kind: Pod
metadata: {name: client, namespace: shop, labels: {app: client}}
spec:
  containers: [{name: client, image: toolbox}]
"""
DENY = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny, namespace: shop}
spec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress]}
"""
LAB = '''
from harness.lab import documented

OUTCOMES = documented("""
step open: 01-pods

| from        | to              | tutorial says | why                |
|-------------|-----------------|---------------|--------------------|
| shop/client | pod/shop/web:80 | connected     | nothing selects it |

step deny: 01-pods, 02-deny

| from        | to              | tutorial says | why             |
|-------------|-----------------|---------------|-----------------|
| shop/client | pod/shop/web:80 | timeout       | web is isolated |
""", source="shop#1")


@OUTCOMES.each_row
def test_shop(row, observed):
    assert observed == row.outcome, row.why
'''
CONFTEST = """
import pytest
from harness.core.outcome import Outcome, Reading
from harness.core.observation import Observation
from harness.errors import ClusterNotReady, ProbeError

pytest_plugins = ["harness.plugin.labs"]


class Script:
    def observe(self, row):
        {body}


@pytest.fixture(scope="session")
def lab_plays():
    return {{"shop": Script()}}
"""
HONEST = """if row.step == "open":
            return Observation(Reading(Outcome.CONNECTED))
        return Observation(Reading(Outcome.TIMEOUT), control=Reading(Outcome.CONNECTED))"""


def project(pytester: pytest.Pytester, body: str, **files: str) -> None:
    (pytester.path / "manifests" / "shop").mkdir(parents=True)
    (pytester.path / "labs" / "shop").mkdir(parents=True)
    contents = {
        "conftest.py": CONFTEST.format(body=body),
        "pytest.ini": "[pytest]\naddopts = --import-mode=importlib -p no:cacheprovider\n",
        "manifests/shop/01-pods.yaml": MANIFEST,
        "manifests/shop/02-deny.yaml": DENY,
        "labs/shop/test_01_shop.py": LAB,
    } | files
    for name, text in contents.items():
        (pytester.path / name).write_text(text, encoding="utf-8")


def run(pytester: pytest.Pytester, *args: str) -> pytest.RunResult:
    """In this process, which is much faster; what needs a process of its own says so."""
    return pytester.runpytest_inprocess("labs", *args)


def document(path: Path) -> dict[str, Any]:
    found = json.loads((path / "results" / "latest" / "labs.json").read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def statuses(path: Path) -> list[str]:
    return [row["status"] for row in document(path)["rows"]]


def test_rows_as_documented_pass_and_are_written(pytester: pytest.Pytester) -> None:
    project(pytester, HONEST)

    result = run(pytester)

    assert result.ret == 0
    found = document(pytester.path)
    assert found["schema_version"] == 3
    assert [row["status"] for row in found["rows"]] == ["pass", "pass"]
    assert found["rows"][1]["predicted"] == "timeout"
    assert found["rows"][1]["flow"]["port"] == 80
    assert (pytester.path / "results" / "latest" / "report.html").exists()


def test_open_flow_where_a_denial_is_documented_fails_with_the_next_step(
    pytester: pytest.Pytester,
) -> None:
    project(pytester, "return Observation(Reading(Outcome.CONNECTED))")

    result = run(pytester)

    assert result.ret == 1
    assert statuses(pytester.path) == ["pass", "fail"]
    result.stdout.fnmatch_lines(
        ["*tutorial says:*timeout*", "*cluster shows:*connected*", "*next step:*kubectl*"]
    )


def test_broken_tool_is_not_checked_and_never_a_denial(pytester: pytest.Pytester) -> None:
    project(pytester, 'raise ProbeError("curl is gone", where="shop/client")')

    result = run(pytester)

    assert result.ret == ExitCode.NO_VERDICT
    assert statuses(pytester.path) == ["not_checked", "not_checked"]
    assert "curl is gone" in document(pytester.path)["rows"][1]["problem"]


def test_silence_without_a_positive_control_is_not_checked(pytester: pytest.Pytester) -> None:
    body = """return Observation(
            Reading(Outcome.TIMEOUT if row.step == "deny" else Outcome.CONNECTED),
            control=Reading(Outcome.TIMEOUT),
        )"""
    project(pytester, body)

    result = run(pytester)

    assert result.ret == ExitCode.NO_VERDICT
    assert statuses(pytester.path) == ["pass", "not_checked"]


def test_unstable_satisfies_nothing(pytester: pytest.Pytester) -> None:
    project(
        pytester,
        "return Observation(Reading(Outcome.UNSTABLE), control=Reading(Outcome.CONNECTED))",
    )

    assert run(pytester).ret == ExitCode.NO_VERDICT
    assert statuses(pytester.path) == ["not_checked", "not_checked"]


def test_chosen_rows_alone_are_checked(pytester: pytest.Pytester) -> None:
    project(pytester, HONEST)

    result = run(pytester, "-k", "open")

    assert result.ret == 0
    assert statuses(pytester.path) == ["pass"]
    assert document(pytester.path)["deselected"] == 1


def test_misspelt_outcome_stops_the_collection_with_one_message(pytester: pytest.Pytester) -> None:
    project(
        pytester, HONEST, **{"labs/shop/test_01_shop.py": LAB.replace("| timeout ", "| timeuot ")}
    )

    result = run(pytester)

    assert result.ret == ExitCode.USAGE
    assert not (pytester.path / "results").exists()
    result.stdout.fnmatch_lines(
        [
            "*`timeuot` is not an outcome*",
            "*where: labs/shop/test_01_shop.py:15",
            "*did you mean `timeout`?*",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")


def test_unknown_field_of_a_manifest_is_a_usage_error_with_its_line(
    pytester: pytest.Pytester,
) -> None:
    broken = DENY.replace("podSelector:", "podSelectors:")
    project(pytester, HONEST, **{"manifests/shop/02-deny.yaml": broken})

    result = run(pytester)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*02-deny.yaml:5:*podSelectors*did you mean `podSelector`?*"])


def test_unknown_kind_is_a_usage_error(pytester: pytest.Pytester) -> None:
    project(
        pytester, HONEST, **{"manifests/shop/02-deny.yaml": DENY.replace("NetworkPolicy", "Secret")}
    )

    result = run(pytester)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*Secret*"])


def test_table_that_names_no_manifest_is_a_usage_error(pytester: pytest.Pytester) -> None:
    project(pytester, HONEST, **{"labs/shop/test_01_shop.py": LAB.replace("02-deny", "02-dney")})

    result = run(pytester)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*no manifest `02-dney`*"])


WANTED = """
---
apiVersion: v1
kind: ConfigMap
metadata: {name: wanted-flows, namespace: shop}
data: {flows: "- {from: shop/client, to: pod/shop/web:80}"}
"""


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("fact/established-connection/pod/shop/server:80", "*has the pod shop/server*"),
        ("fact/unused-rules", "*says which flows are wanted*"),
        ("rollout/03-deny", "*no manifest `03-deny`*"),
    ],
)
def test_measurement_that_its_step_cannot_make_is_a_usage_error(
    pytester: pytest.Pytester, target: str, words: str
) -> None:
    lab = LAB.replace("pod/shop/web:80 | timeout ", f"{target} | shows cut ")
    if "unused" in target:
        lab = lab.replace("shows cut", "shows none")
    project(pytester, HONEST, **{"labs/shop/test_01_shop.py": lab})

    result = run(pytester)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([words])


def test_rollout_of_policies_over_a_state_with_wanted_flows_is_collected(
    pytester: pytest.Pytester,
) -> None:
    lab = LAB.replace("pod/shop/web:80 | timeout ", "rollout/02-deny | shows outage, restored ")
    wanted = {"labs/shop/test_01_shop.py": lab, "manifests/shop/01-pods.yaml": MANIFEST + WANTED}
    project(pytester, HONEST, **wanted)

    assert run(pytester, "--collect-only").ret == 0


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--lab-cni=flannel"], "choose calico, cilium"),
        (["--lab-k8s=1.2"], f"choose {', '.join(KUBERNETES)}"),
        (
            ["--lab-context=mine", f"--lab-k8s={KUBERNETES[-1]}"],
            "has its own version of Kubernetes",
        ),
        (["--lab-images=ftp"], "choose auto, registry, bundle, build"),
        (["--lab-registry=https://mirror.test"], "--lab-registry: * write it without https://"),
        (["--lab-internet=off"], "choose simulated, real"),
        (["--lab-outside=192.0.2.1:80"], "is for your own cluster (--lab-context=NAME)"),
        (["--lab-context=mine", "--lab-outside=google.com:80"], "no server outside of a cluster"),
        (
            ["--lab-context=mine", "--lab-outside=stand-in", "--lab-internet=real"],
            "choose one of the two",
        ),
        (["--lab-workers=two"], "not a number of 0 or more"),
        (["--lab-patience=0"], "not a number above 0"),
        (["--lab-patience=nan"], "not a number above 0"),
        (["--lab-patience=more"], "not a number above 0"),
        (["--lab-cluster-mode=external"], "needs --lab-context"),
        (["--lab-context=mine", "--lab-cluster-mode=create"], "choose"),
    ],
)
def test_contradictory_options_stop_before_anything_is_touched(
    pytester: pytest.Pytester, args: list[str], words: str
) -> None:
    project(pytester, HONEST)

    result = run(pytester, *args)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*{words}*"])
    assert not (pytester.path / "results").exists()


def test_environment_variable_stands_behind_the_command_line(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POLICYLAB_REPORT_DIR", "elsewhere")
    project(pytester, HONEST)

    assert run(pytester).ret == 0
    assert (pytester.path / "elsewhere" / "latest" / "labs.json").exists()
    assert run(pytester, "--lab-report-dir=here").ret == 0
    assert (pytester.path / "here" / "latest" / "labs.json").exists()


def test_machine_fault_stops_the_run_with_every_row_not_checked(pytester: pytest.Pytester) -> None:
    project(pytester, HONEST)
    conftest = CONFTEST.format(body=HONEST).replace(
        'def lab_plays():\n    return {"shop": Script()}',
        "def lab_plays(request):\n    from harness.plugin.stopping import stopping\n"
        "    with stopping(request):\n"
        '        raise ClusterNotReady("the gate: nothing is enforced", seen="connected")',
    )
    (pytester.path / "conftest.py").write_text(conftest, encoding="utf-8")

    result = run(pytester)

    assert result.ret == ExitCode.FAULT
    result.stdout.fnmatch_lines(["*the gate: nothing is enforced*"])
    assert statuses(pytester.path) == ["not_checked", "not_checked"]


def test_interrupt_keeps_what_was_found(pytester: pytest.Pytester) -> None:
    body = """if row.step == "open":
            return Observation(Reading(Outcome.CONNECTED))
        raise KeyboardInterrupt"""
    project(pytester, body)

    result = run(pytester)

    assert result.ret == ExitCode.INTERRUPTED
    assert statuses(pytester.path) == ["pass", "not_checked"]
    assert document(pytester.path)["interrupted"] is True


def test_collect_only_writes_no_report(pytester: pytest.Pytester) -> None:
    project(pytester, HONEST)

    assert run(pytester, "--collect-only").ret == 0
    assert not (pytester.path / "results").exists()


def test_header_says_where_a_setting_comes_from(pytester: pytest.Pytester) -> None:
    project(pytester, HONEST)

    result = run(pytester, "--lab-keep=never", "--collect-only")

    result.stdout.fnmatch_lines(
        [f"policylab: cni=calico, k8s={KUBERNETES[0]}, images=auto; keep=never (command line)"]
    )


def test_row_that_follows_the_cni_is_judged_by_the_cni_of_the_run(
    pytester: pytest.Pytester,
) -> None:
    lab = LAB.replace("| timeout       |", "| cni:unserved_port |").replace(
        "shop/web:80 | cni", "shop/web:81 | cni"
    )
    project(pytester, HONEST, **{"labs/shop/test_01_shop.py": lab})

    assert run(pytester, "--lab-cni=cilium").ret == pytest.ExitCode.OK
    assert run(pytester, "--lab-cni=calico").ret == pytest.ExitCode.TESTS_FAILED


def test_lab_for_another_cni_is_left_out(pytester: pytest.Pytester) -> None:
    only = LAB.replace('source="shop#1"', 'source="shop#1", cni="cilium"')
    project(pytester, HONEST, **{"labs/shop/test_02_more.py": only})

    result = run(pytester, "--lab-cni=calico")

    assert result.ret == pytest.ExitCode.OK
    result.assert_outcomes(passed=2)
    run(pytester, "--lab-cni=cilium").assert_outcomes(passed=4)


def test_asking_for_nothing_but_a_lab_of_another_cni_names_the_option(
    pytester: pytest.Pytester,
) -> None:
    only = LAB.replace('source="shop#1"', 'source="shop#1", cni="cilium"')
    project(pytester, HONEST, **{"labs/shop/test_01_shop.py": only})

    result = run(pytester, "--lab-cni=calico")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*needs --lab-cni=cilium*"])


def test_failed_row_is_certain_whatever_other_row_has_no_verdict(pytester: pytest.Pytester) -> None:
    body = """if row.step == "open":
            raise ProbeError("the prober ended")
        return Observation(Reading(Outcome.CONNECTED))"""
    project(pytester, body)

    assert run(pytester).ret == ExitCode.DIFFERS


def test_fault_while_the_run_is_tidied_up_is_a_fault_and_no_difference(
    pytester: pytest.Pytester,
) -> None:
    project(pytester, HONEST)
    conftest = CONFTEST.format(body=HONEST).replace(
        'def lab_plays():\n    return {"shop": Script()}',
        'def lab_plays():\n    yield {"shop": Script()}\n    raise ClusterNotReady("it is stuck")',
    )
    (pytester.path / "conftest.py").write_text(conftest, encoding="utf-8")

    assert run(pytester).ret == ExitCode.FAULT
    assert statuses(pytester.path) == ["pass", "pass"]


def test_failure_of_another_test_beside_the_labs_counts(pytester: pytest.Pytester) -> None:
    project(pytester, HONEST, **{"labs/shop/test_02_other.py": "def test_it():\n    assert 0\n"})

    assert run(pytester).ret == ExitCode.DIFFERS


def test_run_of_other_tests_keeps_the_exit_codes_of_pytest(pytester: pytest.Pytester) -> None:
    project(pytester, HONEST, **{"test_other.py": "def test_it():\n    raise KeyboardInterrupt\n"})

    other = pytester.runpytest_inprocess("test_other.py", "-k", "none")
    assert other.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    assert pytester.runpytest_subprocess("test_other.py").ret == pytest.ExitCode.INTERRUPTED
    assert not (pytester.path / "results").exists()


def runs(path: Path) -> list[str]:
    return sorted(folder.name for folder in (path / "results").iterdir() if not folder.is_symlink())


@pytest.mark.parametrize(
    "args",
    [["labs", "-k", "open"], ["labs/shop/test_01_shop.py"]],
    ids=["by a name", "by a file"],
)
def test_partial_run_never_takes_the_place_of_a_whole_one(
    pytester: pytest.Pytester, args: list[str]
) -> None:
    project(pytester, HONEST, **{"labs/shop/test_02_more.py": LAB})
    run(pytester)

    pytester.runpytest_inprocess(*args)

    whole, part = runs(pytester.path)
    assert (whole + "-part")[16:] == part[16:] == "calico-part"
    found = json.loads((pytester.path / "results" / "latest-calico" / "labs.json").read_text())
    assert (found["run"], found["partial"], len(found["rows"])) == (whole, False, 4)
    assert (document(pytester.path)["run"], document(pytester.path)["partial"]) == (part, True)


def test_row_chosen_by_its_name_is_a_partial_run(pytester: pytest.Pytester) -> None:
    project(pytester, HONEST)
    listed = run(pytester, "--collect-only", "-q").outlines[0]

    assert pytester.runpytest_inprocess(listed).ret == 0
    assert document(pytester.path)["partial"] is True
    assert not (pytester.path / "results" / "latest-calico").exists()


def test_run_on_another_cni_has_a_link_of_its_own(pytester: pytest.Pytester) -> None:
    only = LAB.replace('source="shop#1"', 'source="shop#1", cni="cilium"')
    project(pytester, HONEST, **{"labs/shop/test_02_more.py": only})

    assert run(pytester, "--lab-cni=cilium").ret == 0
    assert run(pytester, "--lab-cni=calico").ret == 0

    assert {name[16:] for name in runs(pytester.path)} == {"cilium", "calico"}
    for cni in ("calico", "cilium"):
        assert (pytester.path / "results" / f"latest-{cni}" / "labs.json").exists()


@pytest.mark.parametrize("option", ["-x", "--maxfail=1"])
def test_run_that_stops_at_a_failure_is_not_whole(pytester: pytest.Pytester, option: str) -> None:
    project(pytester, "return Observation(Reading(Outcome.REFUSED))")

    assert run(pytester, option).ret == ExitCode.DIFFERS
    assert statuses(pytester.path) == ["fail", "not_checked"]
    assert document(pytester.path)["interrupted"] is True
    assert not (pytester.path / "results" / "latest-calico").exists()


def test_results_that_cannot_be_written_stop_the_run_before_the_first_row(
    pytester: pytest.Pytester,
) -> None:
    project(pytester, HONEST, results="a file in the way")

    result = run(pytester)

    assert result.ret == ExitCode.FAULT
    result.stdout.fnmatch_lines(["*the results cannot be written*", "*try:*--lab-report-dir*"])
    assert "passed" not in result.stdout.str()


def test_row_that_only_the_prediction_contradicts_is_red_by_its_own_assertion(
    pytester: pytest.Pytester,
) -> None:
    wrong = LAB.replace(
        "| connected     | nothing selects it", "| timeout       | nothing selects it"
    )
    project(
        pytester,
        """return Observation(Reading(Outcome.TIMEOUT), control=Reading(Outcome.CONNECTED))""",
        **{"labs/shop/test_01_shop.py": wrong},
    )

    result = run(pytester, "-vv", "-k", "open")

    assert result.ret == ExitCode.DIFFERS
    result.stdout.fnmatch_lines(
        [
            ">*assert observed == row.outcome, row.why",
            "E*AssertionError: nothing selects it",
            "E*assert shop/client -> shop/web:80*",
            "E*problem:*the policies predict connected, observed timeout",
            "E*tutorial says:*timeout",
            "E*policies predict:*connected",
            "E*cluster shows:*timeout",
        ]
    )


def test_failure_is_told_in_the_same_words_by_the_test_and_by_the_summary(
    pytester: pytest.Pytester,
) -> None:
    project(pytester, "return Observation(Reading(Outcome.CONNECTED))")

    said = run(pytester).stdout.str()

    assert said.count("expected timeout, observed connected") == 2
    assert said.count("kubectl -n shop exec client") >= 1
    assert "AssertionError" not in said


def test_summary_goes_through_the_terminal_of_pytest(pytester: pytest.Pytester) -> None:
    project(pytester, HONEST)

    plain = run(pytester, "--color=no").stdout.str()
    coloured = run(pytester, "--color=yes").stdout.str()

    assert "2 rows: 2 pass" in plain
    assert "\x1b[" not in plain
    assert "\x1b[" in coloured[coloured.index("tutorial says") :]


def test_summary_on_a_terminal_without_unicode_uses_plain_letters(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    project(pytester, HONEST)

    result = pytester.runpytest_subprocess("labs")

    result.stdout.fnmatch_lines(["+ shop/client*", "*-> shop/web:80*"])


ENTRY = """[pytest11]
policylab = harness.plugin
"""


def installed(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plugin as an installed package would announce it."""
    info = pytester.mkdir("policylab-0.dist-info")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: policylab\nVersion: 0\n")
    (info / "entry_points.txt").write_text(ENTRY, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", f"{pytester.path}:{Path(__file__).parents[2]}")


def test_installed_plugin_says_and_changes_nothing_in_a_project_without_labs(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyfile("def test_good(): pass\ndef test_stop(): raise KeyboardInterrupt")
    without = pytester.runpytest_subprocess("-q")
    installed(pytester, monkeypatch)

    result = pytester.runpytest_subprocess("-q")

    assert without.ret == result.ret == pytest.ExitCode.INTERRUPTED
    assert "--lab-cni=" in pytester.runpytest_subprocess("--help").stdout.str()
    assert result.stdout.lines[:-1] == without.stdout.lines[:-1]
    header = pytester.runpytest_subprocess("-k", "good").stdout.lines
    assert [line for line in header if "policylab:" in line] == []
    assert not (pytester.path / "results").exists()


def test_installed_plugin_runs_labs(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    project(pytester, HONEST)
    conftest = CONFTEST.format(body=HONEST).replace('pytest_plugins = ["harness.plugin.labs"]', "")
    (pytester.path / "conftest.py").write_text(conftest, encoding="utf-8")
    installed(pytester, monkeypatch)

    assert pytester.runpytest_subprocess("labs").ret == 0
    assert statuses(pytester.path) == ["pass", "pass"]
