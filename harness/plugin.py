"""The pytest plugin: options, fixtures and hooks. Thin glue; what it glues lives elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import pytest
from rich.console import Console

from harness.core.lab.documented import Row
from harness.core.lab.record import Status
from harness.core.manifests.library import Library, in_force
from harness.core.outcome import Reading
from harness.core.predict.scenario import Scenario
from harness.edge.cluster.opening import Cluster, delete_cluster, open_cluster
from harness.edge.cni.known import PROFILES
from harness.edge.files.labs import phase_of
from harness.edge.files.library import load
from harness.edge.machine.process import ends_on_sigterm
from harness.errors import ContentError, HarnessError, ProbeError
from harness.exitcode import ExitCode, exit_code_of
from harness.options import Options, add_options, cluster_spec, keeps_cluster, resolve
from harness.plays import Live, Plays, proven
from harness.progress import TerminalProgress
from harness.recorder import Recorder
from harness.report.pages import terminal
from harness.report.writer import Reports

SETTINGS = pytest.StashKey[Options]()
RECORDER = pytest.StashKey[Recorder]()
TUTORIALS = pytest.StashKey[dict[str, list[Row]]]()
LIBRARIES = pytest.StashKey[dict[str, Library]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Register `--lab-*`."""
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Resolve the options first: a contradiction stops the run before anything is touched."""
    options = config.stash[SETTINGS] = resolve(config)
    folder = Path(options["report-dir"])
    folder = folder if folder.is_absolute() else config.rootpath / folder
    command = " ".join(["pytest", *map(str, config.invocation_params.args)])
    config.stash[RECORDER] = Recorder(Reports(folder), command=command)
    config.stash[TUTORIALS] = {}
    config.stash[LIBRARIES] = {}


def pytest_report_header(config: pytest.Config) -> str:
    """Say which options are in force and where they come from."""
    return config.stash[SETTINGS].header()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Read the manifests of all collected rows and predict each row, before a cluster is touched.

    Raises:
        pytest.UsageError: a manifest or a table is wrong; the message has the file and line.
    """
    libraries = config.stash[LIBRARIES]
    _keep_fitting(config, items)
    for item in items:
        row = _row(item)
        if row is None:
            continue
        row = row.on(PROFILES[config.stash[SETTINGS]["cni"]])
        item.callspec.params["row"] = row  # type: ignore[attr-defined]
        tutorial = _tutorial(item)
        try:
            if tutorial not in libraries:
                libraries[tutorial] = load(config.rootpath / "manifests" / tutorial)
            resources = in_force(libraries[tutorial], row.apply, where=row.where)
            prediction = Scenario(resources).predict(row.ask)
        except ContentError as error:
            raise pytest.UsageError(f"{error}\n  row:   {row.id} ({row.where})") from error
        config.stash[TUTORIALS].setdefault(tutorial, []).append(row)
        config.stash[RECORDER].expect(item.nodeid, tutorial, phase_of(item.path), row, prediction)


def _keep_fitting(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the labs that are for another CNI.

    Raises:
        pytest.UsageError: nothing else was asked for.
    """
    cni = config.stash[SETTINGS]["cni"]
    fitting = [item for item in items if _row(item) is None or _only_on(item) in ("", cni)]
    if items and not fitting:
        needed = _only_on(items[0])
        raise pytest.UsageError(f"this lab needs --lab-cni={needed}: {items[0].path}")
    items[:] = fitting


def _only_on(item: pytest.Item) -> str:
    return str(item.module.OUTCOMES.table.cni)  # type: ignore[attr-defined]


def pytest_deselected(items: list[pytest.Item]) -> None:
    """Count the rows that the user chose not to run."""
    for item in items:
        if _row(item) is not None:
            item.config.stash[RECORDER].deselected += 1


def _row(item: pytest.Item) -> Row | None:
    """The row of a lab's test; other tests may have a parameter of that name, too."""
    params = getattr(getattr(item, "callspec", None), "params", {})
    row = params.get("row")
    is_lab = hasattr(getattr(item, "module", None), "OUTCOMES")
    return row if is_lab and isinstance(row, Row) else None


def _tutorial(item: pytest.Item) -> str:
    return str(item.module.OUTCOMES.table.tutorial)  # type: ignore[attr-defined]


@pytest.fixture(scope="session")
def lab_options(pytestconfig: pytest.Config) -> Options:
    """The values of all `--lab-*` options."""
    return pytestconfig.stash[SETTINGS]


@pytest.fixture(scope="session")
def lab_cluster(pytestconfig: pytest.Config, lab_options: Options) -> Iterator[Cluster]:
    """The live cluster: made, re-used or found, as the options say."""
    progress = TerminalProgress(pytestconfig)
    spec = cluster_spec(pytestconfig, lab_options)
    with stopping():
        cluster = open_cluster(spec, progress)
    pytestconfig.stash[RECORDER].environment = dict(cluster.environment)
    yield cluster
    failed = not pytestconfig.stash[RECORDER].complete()
    if cluster.owned and not keeps_cluster(pytestconfig, lab_options, failed=failed):
        with progress.step(f"delete cluster {cluster.name}"):
            delete_cluster(cluster.name)


@pytest.fixture(scope="session")
def lab_live(pytestconfig: pytest.Config, lab_cluster: Cluster) -> Iterator[Live]:
    """The API, the prober and the gate, passed: every lab depends on it."""
    names = lab_cluster.internet.names if lab_cluster.internet else None
    progress = TerminalProgress(pytestconfig)
    with stopping(), proven(lab_cluster, progress, internet=names) as (live, report):
        pytestconfig.stash[RECORDER].gate = asdict(report)
        yield live


@contextmanager
def stopping() -> Iterator[None]:
    """Stop the whole run if the machine or the cluster is at fault before the first row."""
    try:
        yield
    except HarnessError as error:
        pytest.exit(f"\n{error}", returncode=ExitCode.FAULT)


@pytest.fixture(scope="session")
def lab_plays(pytestconfig: pytest.Config, lab_live: Live, lab_options: Options) -> Iterator[Plays]:
    """The tutorials of this run, each on its stage; their namespaces go at the end."""
    plays = Plays(
        lab_live,
        pytestconfig.stash[LIBRARIES],
        pytestconfig.stash[TUTORIALS],
        with_policies=lab_options["policies"] == "apply",
    )
    try:
        with stopping():
            plays.start()
        yield plays
    finally:
        plays.close()
        pytestconfig.stash[RECORDER].changes = plays.changes


@pytest.fixture
def observed(request: pytest.FixtureRequest, row: Row, lab_plays: Plays) -> Reading:
    """What the cluster shows for the row, as far as the row documents it.

    Raises:
        ProbeError: there is no verdict: the row is `not checked`, and the test an error.
    """
    recorder: Recorder = request.config.stash[RECORDER]
    test = request.node.nodeid
    observation = lab_plays[_tutorial(request.node)].observe(row)
    record = recorder.observed(test, observation)
    if record.status is Status.NOT_CHECKED:
        raise ProbeError(record.problem, where=row.where)
    seen = observation.reading
    return seen if row.outcome.detail else Reading(seen.outcome)


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """End at SIGTERM (which a cancelled CI job gets, for example) as at Ctrl-C."""
    recorder, option = session.config.stash[RECORDER], session.config.option
    collected = not session.testsfailed or option.continue_on_collection_errors
    recorder.began = bool(recorder.records) and collected and not option.collectonly
    with ends_on_sigterm(), _interrupts_noted(session):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Note a Ctrl-C while the labs are read."""
    with _interrupts_noted(session):
        return (yield)


@contextmanager
def _interrupts_noted(session: pytest.Session) -> Iterator[None]:
    """Tell Ctrl-C from the other ways in which pytest stops a run: they share its exit code 2."""
    try:
        yield
    except KeyboardInterrupt as error:
        session.config.stash[RECORDER].interrupted = not isinstance(error, session.Interrupted)
        raise


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a row's result into its record, and its failure into words."""
    report = yield
    recorder = item.config.stash[RECORDER]
    if not recorder.known(item.nodeid):
        if report.failed:
            recorder.failed()
        return report
    recorder.took(item.nodeid, report.duration)
    record = recorder.record(item.nodeid)
    error = call.excinfo.value if call.excinfo else None
    if report.when == "setup" and isinstance(error, HarnessError):
        record = recorder.not_checked(item.nodeid, str(error))
        report.longrepr = f"not checked: {error}"
    if report.when == "call" and record.status is Status.FAIL:
        report.outcome = "failed"  # also where only the prediction disagrees
        if item.config.get_verbosity() < 2:  # noqa: PLR2004 - with -vv pytest's own traceback stays
            report.longrepr = _explain(item)
    if report.when == "teardown":
        recorder.write()
    if report.failed and record.status is not Status.NOT_CHECKED:
        recorder.failed(exit_code_of(error) if isinstance(error, HarnessError) else None)
    return report


def _explain(item: pytest.Item) -> str:
    record = item.config.stash[RECORDER].record(item.nodeid)
    seen = record.observation.reading if record.observation else "-"
    lines = [
        str(record.row.ask),
        f"  documented: {record.row.documented}",
        f"  predicted:  {record.predicted or 'left open'}",
        f"  observed:   {seen}",
        f"  why:        {record.row.why}",
        *(f"  policy:     {reason}" for reason in record.reasons),
        *(
            f"  note:       {note}"
            for note in (record.observation.notes if record.observation else ())
        ),
        f"  next:       {record.next_step}",
    ]
    return "\n".join(lines)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int | pytest.ExitCode) -> None:
    """Write the reports, and choose the exit code where pytest's own says too little."""
    recorder = session.config.stash[RECORDER]
    if recorder.interrupted:
        session.exitstatus = ExitCode.INTERRUPTED
    if not recorder.began:
        return
    recorder.stopped = exitstatus not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
    recorder.finish()
    if exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        session.exitstatus = recorder.exit_code


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Show each phase's flows with the three columns."""
    recorder = config.stash[RECORDER]
    if not recorder.began:
        return
    writer = terminalreporter._tw  # noqa: SLF001 - pytest has no public width or colour
    width = max(80, min(writer.fullwidth, 140))
    console = Console(file=sys.stdout, width=width, force_terminal=writer.hasmarkup or None)
    shown = terminal(
        recorder.records,
        results_dir=_near(recorder.reports.folder, config.invocation_params.dir),
        environment=recorder.environment,
    )
    terminalreporter.ensure_newline()
    console.print(shown)


def _near(folder: Path, here: Path) -> str:
    """The folder as one would type it from here."""
    return str(folder.relative_to(here)) if folder.is_relative_to(here) else str(folder)
