"""What a run of pytest sees that uses nothing of policylab, where policylab is installed."""

from __future__ import annotations

import subprocess
import sys

import pytest

from harness.edge.cluster.lane import DEFAULT_KUBERNETES, PARTS
from harness.edge.cluster.state import ClusterMode
from harness.edge.cni.known import CNIS, DEFAULT
from harness.edge.images import Source
from harness.edge.internet.state import InternetMode
from harness.plugin.declared import LAB_OPTIONS
from harness.plugin.declared import PARTS as DECLARED

pytest_plugins = ["pytester"]

FRONT = {"harness", "harness.plugin", "harness.plugin.front", "harness.plugin.declared"}

IMPORTED = """
import sys, pytest
before = set(sys.modules)
import harness.plugin, harness.plugin.front
new = {name for name in set(sys.modules) - before if not name.startswith("_pytest")}
print(*sorted(name for name in new if name.partition(".")[0] not in sys.stdlib_module_names))
"""

NO_LAB = "def test_good(): pass\n"


def test_front_imports_its_declarations_and_nothing_else() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED], check=True, capture_output=True, text=True
    )

    assert set(done.stdout.split()) == FRONT


def test_values_that_the_help_repeats_are_the_values_in_force() -> None:
    told = {option.name: option.choices for option in LAB_OPTIONS}

    assert told["cni"] == (*CNIS, "FOLDER")
    assert told["cluster-mode"] == tuple(ClusterMode)
    assert told["images"] == tuple(Source)
    assert told["internet"] == tuple(InternetMode)
    assert {part.option: part.short for part in PARTS} == DECLARED
    defaults = {option.name: option.default for option in LAB_OPTIONS}
    assert defaults["cni"] == DEFAULT


def test_every_default_is_a_valid_value() -> None:
    for option in LAB_OPTIONS:
        assert not option.choices or option.default in option.choices, option.name


def test_version_that_nobody_chose_is_the_default_one(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(NO_LAB)

    result = pytester.runpytest_inprocess("-p", "harness.plugin.front", "--lab-keep=never")

    result.stdout.fnmatch_lines([f"policylab: cni=calico, k8s={DEFAULT_KUBERNETES}, *keep=never*"])


def test_folder_of_labs_that_are_not_ours_is_left_alone(pytester: pytest.Pytester) -> None:
    folder = pytester.mkdir("labs")
    (folder / "test_physics.py").write_text(NO_LAB, encoding="utf-8")

    result = pytester.runpytest_inprocess("labs", "-p", "harness.plugin.front")

    result.assert_outcomes(passed=1)
    assert "policylab" not in "\n".join(
        line for line in result.stdout.lines if not line.startswith(("rootdir", "plugins"))
    )
    assert not (pytester.path / "results").exists()


def test_option_with_a_wrong_value_stops_a_run_without_labs_as_well(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(NO_LAB)

    result = pytester.runpytest_inprocess("-p", "harness.plugin.front", "--lab-keep=sometimes")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--lab-keep=sometimes*choose always, on-failure, never*"])


def test_plugin_that_a_conftest_names_as_well_is_registered_once(
    pytester: pytest.Pytester,
) -> None:
    pytester.makeconftest('pytest_plugins = ["harness.plugin.labs"]')
    pytester.makepyfile(NO_LAB)

    result = pytester.runpytest_inprocess("-p", "harness.plugin.front", "--lab-keep=never")

    result.assert_outcomes(passed=1)
    assert sum("keep=never" in line for line in result.stdout.lines) == 1
