"""The hooks of pytest, as thin glue: rows, records and reports have their own modules."""

from __future__ import annotations

import io
import sys
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from rich.console import Console

from harness.core.lab.record import Observed, Status, Unobserved
from harness.edge.machine.process import ends_on_sigterm
from harness.errors import EnvironmentFault, HarnessError
from harness.exitcode import ExitCode, exit_code_of
from harness.plugin import rows
from harness.plugin.declared import asks_for_labs
from harness.plugin.options import cluster_spec, keeps_cluster, patience_of
from harness.plugin.state import make_state, state_of
from harness.plugin.stopping import stopping
from harness.plugin.submission import (
    graded_exit_code,
    prepare,
    refuse_workers,
    rows_in,
    submission_of,
)
from harness.plugin.workers import (
    Controller,
    hand_over,
    is_controller,
    is_worker,
    let_tidy_up,
    refuse_unknown_rows,
    tell,
)
from harness.progress import TerminalProgress
from harness.report.document import row_json
from harness.report.terminal import terminal
from harness.report.view import explained

NARROWEST, WIDEST = 80, 140
"""Columns of the summary at the end of a run."""

VERY_VERBOSE = 2
"""The verbosity (-vv) at which pytest's own traceback stays."""

TO_BE_REFINED = (
    pytest.ExitCode.OK,
    pytest.ExitCode.TESTS_FAILED,
    pytest.ExitCode.INTERRUPTED,
)
"""Exit codes of pytest that a run of labs replaces: its records say more than these codes."""


def pytest_configure(config: pytest.Config) -> None:
    """Resolve the options first: a contradiction stops the run before anything is touched."""
    make_state(config)
    refuse_workers(config)
    if is_controller(config):
        config.pluginmanager.register(Controller(config), "policylab-controller")


def pytest_collect_directory(path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect the rows of a submission in the place of the labs, which are not read then."""
    return rows_in(path, parent) if submission_of(parent.config) else None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Read the manifests of all collected rows and predict each row, before a cluster is touched.

    Raises:
        pytest.UsageError: a manifest or a table is wrong; the message has the file and line.
    """
    rows.collect(config, items)


def pytest_deselected(items: list[pytest.Item]) -> None:
    """Count the rows that the user chose not to run."""
    for item in items:
        if rows.row_of(item) is not None:
            state_of(item.config).recorder.deselected += 1


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Note a Ctrl-C during the collection. A submission is read before it.

    Raises:
        pytest.UsageError: the submission or its assignment cannot be read.
    """
    if submission_of(session.config):
        prepare(session.config)
    with _interrupts_noted(session):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """Take the cluster's turn, and treat SIGTERM (from a cancelled CI job, say) like Ctrl-C."""
    recorder, option = state_of(session.config).recorder, session.config.option
    collected = not session.testsfailed or option.continue_on_collection_errors
    with ExitStack() as run:
        if collected and not option.collectonly and not is_worker(session.config):
            try:
                asks = recorder.tutorials or submission_of(session.config)
                if asks and not recorder.offline:
                    # A run without a cluster needs no lock.
                    from harness.edge.cluster.turn import turn

                    spec = cluster_spec(session.config, state_of(session.config).options)
                    run.enter_context(turn(spec))
                recorder.begin()
            except EnvironmentFault as error:
                pytest.exit(f"\n{error}", returncode=exit_code_of(error))
        run.enter_context(ends_on_sigterm())
        run.enter_context(_interrupts_noted(session))
        return (yield)


@contextmanager
def _interrupts_noted(session: pytest.Session) -> Iterator[None]:
    """Note whether Ctrl-C stopped the run: pytest's exit code 2 has other causes as well."""
    try:
        yield
    except KeyboardInterrupt as error:
        # pytest and pytest-xdist stop a run with subclasses of KeyboardInterrupt.
        state_of(session.config).recorder.interrupted = type(error) is KeyboardInterrupt
        if is_worker(session.config):
            let_tidy_up()
        raise


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Refuse a row that the controller of this worker does not know."""
    if rows.row_of(item) is not None:
        with stopping(item):
            refuse_unknown_rows(item.config)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the result of the test to the row's record, and explain a failure in words."""
    report = yield
    recorder = state_of(item.config).recorder
    error = call.excinfo.value if call.excinfo else None
    code = exit_code_of(error) if isinstance(error, HarnessError) else ExitCode.DIFFERS
    failed = code if report.failed else None
    if recorder.known(item.nodeid):
        recorder.took(item.nodeid, report.duration)
        if report.when == "setup" and isinstance(error, HarnessError):
            recorder.not_checked(item.nodeid, error)
            report.longrepr, failed = f"not checked: {error}", None
        row = recorder.row(item.nodeid)
        wrong = isinstance(error, AssertionError) and row["status"] == Status.FAIL
        if wrong and item.config.get_verbosity() < VERY_VERBOSE:
            report.longrepr = "\n".join(explained(row))
    if failed:
        recorder.failed(failed)
    if is_worker(item.config):
        done = report.when == "teardown" and recorder.known(item.nodeid)
        tell(report, recorder.row(item.nodeid) if done else None, failed)
    if report.when == "teardown":
        recorder.write()
    return report


def pytest_assertrepr_compare(
    config: pytest.Config, op: str, left: object, right: object
) -> list[str] | None:
    """Explain in the words of the reports why `observed` differs from the row's outcome."""
    if op != "==" or not isinstance(left, Observed | Unobserved) or right != left.row.outcome:
        return None
    record = state_of(config).recorder.record_of(left)
    return explained(row_json(record)) if record else None


@pytest.hookimpl(tryfirst=True)
def pytest_report_teststatus(
    report: pytest.TestReport, config: pytest.Config
) -> tuple[str, str, str] | None:
    """Count no row as passed in a run without a cluster: it was not observed."""
    recorder = state_of(config).recorder
    if not recorder.offline or not recorder.known(report.nodeid):
        return None
    if report.passed and report.when == "call":
        return "not observed", "o", "NOT OBSERVED"
    return ("not checked offline", "?", "NOT CHECKED OFFLINE") if report.skipped else None


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int | pytest.ExitCode) -> None:
    """Write the reports, and choose the exit code where pytest's own code says too little."""
    _leave_hypothesis_out(session.config)
    if is_worker(session.config):
        hand_over(session.config)
        return
    recorder = state_of(session.config).recorder
    if recorder.interrupted and (recorder.tutorials or asks_for_labs(session.config)):
        session.exitstatus = ExitCode.INTERRUPTED
    elif recorder.folder and exitstatus in TO_BE_REFINED:
        session.exitstatus = recorder.exit_code
    elif submission_of(session.config):
        session.exitstatus = graded_exit_code(session.config, exitstatus)
    recorder.finish()
    try:
        _put_away(session.config)
    except HarnessError as error:
        pytest.exit(f"\n{error}", returncode=exit_code_of(error))


def _put_away(config: pytest.Config) -> None:
    """Delete the run's cluster, if policylab made it and the options do not keep it.

    What was started beside somebody else's cluster is removed in any case.
    """
    state = state_of(config)
    if state.options["outside"]:
        from harness.edge.cluster.foreign import leave_foreign
        from harness.edge.cluster.tools import tools_with

        spec = cluster_spec(config, state.options)
        leave_foreign(spec, tools_with(patience_of(state.options)))
    failed = state.recorder.exit_code is not ExitCode.OK
    if not state.cluster or keeps_cluster(config, state.options, failed=failed):
        return
    from harness.edge.cluster.opening import delete_cluster  # a run without a cluster needs neither
    from harness.edge.cluster.tools import tools_with

    with TerminalProgress(config).step(f"delete cluster {state.cluster}"):
        delete_cluster(state.cluster, tools_with(patience_of(state.options)))


def _leave_hypothesis_out(config: pytest.Config) -> None:
    """Save the second that Hypothesis's summary takes, if the run did not use Hypothesis."""
    manager = config.pluginmanager
    if "hypothesis" not in sys.modules and manager.has_plugin("hypothesispytest"):
        manager.unregister(name="hypothesispytest")


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Show each phase's flows with the three columns."""
    recorder = state_of(config).recorder
    if recorder.folder is None:
        return
    writer = config.get_terminal_writer()
    page = _Page()
    console = Console(
        file=page,
        width=max(NARROWEST, min(writer.fullwidth, WIDEST)),
        force_terminal=writer.hasmarkup,
    )
    near = _near(recorder.folder, config.invocation_params.dir)
    console.print(terminal(recorder.document(), results_dir=near))
    terminalreporter.ensure_newline()
    terminalreporter.write(page.getvalue())


class _Page(io.StringIO):
    """A page in memory with the encoding of pytest's terminal."""

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The terminal's encoding; rich draws with plain letters if the encoding is not UTF-8."""
        return sys.stdout.encoding or "ascii"


def _near(folder: Path, here: Path) -> str:
    """The folder's path, relative to `here` if the folder is below it."""
    return str(folder.relative_to(here)) if folder.is_relative_to(here) else str(folder)
