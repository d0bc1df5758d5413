"""The front of the plugin: what every run of pytest imports where policylab is installed.

It must cost a run nothing that uses nothing of policylab: it imports pytest and the declarations of
the options, and prints nothing. All else is imported when the command line, the folder of labs or a
test asks for it.
"""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import pytest

from harness.plugin.declared import add_options, asks_for_labs, grades, is_typed

if TYPE_CHECKING:
    from harness.plugin.reach.changing import Reach
    from harness.plugin.reach.offline import Predictions

LAB_PART = "harness.plugin.labs"
NAMED = "harness.plugin.reach.unsaid"
"""The module that is there as soon as a fixture of ours was used."""

ASKING = frozenset({"predict", "reach"})
"""The fixtures whose sentences may have no verdict."""

UNSAID = "policylab_unsaid"
"""The mark of a test that has no verdict, in its report."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Register `--lab-*`."""
    add_options(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Check the options that were typed, and add the part that runs labs where a run needs it.

    Raises:
        pytest.UsageError: an option is wrong: the run stops before anything is touched.
    """
    if is_typed(config):
        from harness.plugin.options import options_of

        options_of(config)
    if asks_for_labs(config) or grades(config):
        config.pluginmanager.import_plugin(LAB_PART)


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say which options are in force and where they come from, in a run that they are for."""
    if not is_typed(config) and not asks_for_labs(config):
        return None
    from harness.plugin.options import options_of

    return options_of(config).header()


@pytest.fixture(scope="session")
def predict(pytestconfig: pytest.Config) -> Predictions:
    """What NetworkPolicies in files say of flows; no cluster is needed, and no packet is sent.

        def test_db_is_closed(predict):
            flows = predict("k8s/")
            flows("shop/web").to("shop/db:6379").is_blocked()

    It takes folders, files, and text that `helm template` or `kustomize build` printed. What the
    manifests leave undefined is an error, and never a pass.
    """
    from harness.plugin.reach.offline import Predictions

    return Predictions(pytestconfig.rootpath)


@pytest.fixture(scope="session")
def reach(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reach]:
    """What pods of a running cluster see of flows and names.

        def test_db_is_closed(reach):
            reach("shop/web").to("shop/db:6379").is_blocked()

    The cluster is named by --lab-context=NAME, or it is policylab's own (--lab-cluster-mode=reuse).
    Nothing is started. What gives no verdict is an error, and never a pass.
    """
    from harness.plugin.reach.opening import opened

    workers = hasattr(pytestconfig, "workerinput")
    shared = tmp_path_factory.getbasetemp().parent if workers else None
    with opened(pytestconfig, shared) as flows:
        yield flows


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Begin a test: the flows that an earlier one named are not this one's."""
    _forget()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown() -> None:
    """End a test: the flows that it named are nobody else's."""
    _forget()


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[object],
) -> Generator[None, object, object]:
    """Let a fixture for several tests name flows of which each test may say something."""
    unsaid = sys.modules.get(NAMED)
    if unsaid is None or fixturedef.scope == "function":
        return (yield)
    with unsaid.for_several():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, object, object]:
    """Make sure that a test said something of each flow that it or its fixtures named."""
    result = yield
    if unsaid := sys.modules.get(NAMED):
        unsaid.all_said()
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Mark a test of flows that has no verdict: it did not fail, for nothing is known.

    So it is no failure that somebody expected either, unless `xfail(raises=...)` says so.
    """
    report = yield
    errors = sys.modules.get("harness.errors")
    if errors is None or call.excinfo is None or not _asks(item):
        return report
    if not isinstance(call.excinfo.value, errors.HarnessError):
        return report
    if hasattr(report, "wasxfail") and not _expects_it(item):
        del report.wasxfail
        report.outcome = "failed"
    if report.failed:
        setattr(report, UNSAID, True)  # pytest-xdist hands it to the controller
        item.user_properties.append(("policylab", "no verdict"))
    return report


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    """Count a test without a verdict among the errors."""
    if report.when == "call" and getattr(report, UNSAID, False):
        return "error", "E", "NO VERDICT"
    return None


def _asks(item: pytest.Item) -> bool:
    return not ASKING.isdisjoint(getattr(item, "fixturenames", ()))


def _forget() -> None:
    if unsaid := sys.modules.get(NAMED):
        unsaid.forget()


def _expects_it(item: pytest.Item) -> bool:
    return any("raises" in mark.kwargs for mark in item.iter_markers("xfail"))
