"""The pytest plugin: options, fixtures and hooks. Thin glue; what it glues lives elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict
from pathlib import Path

import pytest
from rich.console import Console

from harness.core.documented import Row
from harness.core.outcome import Reading
from harness.core.predict import Scenario
from harness.core.record import Status
from harness.core.report import terminal
from harness.edge.cluster import Cluster, delete_cluster, open_cluster
from harness.edge.facts import Bench
from harness.edge.gate import Gate
from harness.edge.kube import Kube
from harness.edge.library import load
from harness.edge.play import Play
from harness.edge.prober import Prober
from harness.edge.replay import Replayer
from harness.edge.reports import Reports
from harness.edge.stage import Stage
from harness.errors import ContentError, HarnessError, ProbeError
from harness.options import Options, add_options, cluster_spec, keeps_cluster, resolve
from harness.recorder import Recorder

OPTIONS = pytest.StashKey[Options]()
RECORDER = pytest.StashKey[Recorder]()
TUTORIALS = pytest.StashKey[dict[str, list[Row]]]()
LOOK = pytest.ExitCode.INTERRUPTED
"""The exit code of a run that the machine or the cluster stopped, as for any stopped run."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Register `--lab-*`."""
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Resolve the options first: a contradiction stops the run before anything is touched."""
    options = config.stash[OPTIONS] = resolve(config)
    folder = Path(options["report-dir"])
    folder = folder if folder.is_absolute() else config.rootpath / folder
    command = " ".join(["pytest", *map(str, config.invocation_params.args)])
    config.stash[RECORDER] = Recorder(Reports(folder), command=command)
    config.stash[TUTORIALS] = {}


def pytest_report_header(config: pytest.Config) -> str:
    """Say which options are in force and where they come from."""
    return config.stash[OPTIONS].header()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Read the manifests of all collected rows and predict each row, before a cluster is touched.

    Raises:
        pytest.UsageError: a manifest or a table is wrong; the message has the file and line.
    """
    libraries: dict[str, dict] = {}  # type: ignore[type-arg]
    for item in items:
        row = _row(item)
        if row is None:
            continue
        tutorial = _tutorial(item)
        try:
            if tutorial not in libraries:
                libraries[tutorial] = load(config.rootpath / "manifests" / tutorial)
            prediction = Scenario(_resources(libraries[tutorial], row)).predict(
                row.source, row.target
            )
        except ContentError as error:
            raise pytest.UsageError(f"{error}\n  row:   {row.id} ({row.where})") from error
        config.stash[TUTORIALS].setdefault(tutorial, []).append(row)
        config.stash[RECORDER].expect(item.nodeid, tutorial, _phase(item), row, prediction)


def pytest_deselected(items: list[pytest.Item]) -> None:
    """Count the rows that the user chose not to run."""
    for item in items:
        if _row(item) is not None:
            item.config.stash[RECORDER].deselected += 1


def _resources(library: dict, row: Row):  # type: ignore[no-untyped-def, type-arg]
    for name in row.apply:
        if name not in library:
            raise ContentError(
                f"there is no manifest `{name}`",
                where=row.where,
                seen=f"known: {', '.join(library)}",
            )
    return tuple({r.key: r for name in row.apply for r in library[name]}.values())


def _row(item: pytest.Item) -> Row | None:
    """The row of a lab's test; other tests may have a parameter of that name, too."""
    params = getattr(getattr(item, "callspec", None), "params", {})
    row = params.get("row")
    is_lab = hasattr(getattr(item, "module", None), "OUTCOMES")
    return row if is_lab and isinstance(row, Row) else None


def _tutorial(item: pytest.Item) -> str:
    return str(item.module.OUTCOMES.table.tutorial)  # type: ignore[attr-defined]


def _phase(item: pytest.Item) -> str:
    """`test_02_default_deny.py` is the phase `default-deny`."""
    return "-".join(item.path.stem.split("_")[2:])


class TerminalProgress:
    """Progress in pytest's terminal, past its capture of output."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Say what begins, and how long it took."""
        import time

        began = time.monotonic()
        self.note(f"{text} ...")
        yield
        self.note(f"{text}: {time.monotonic() - began:.1f} s")

    def note(self, text: str) -> None:
        """Say one line."""
        with self._uncaptured():
            print(f"  {text}", file=sys.stderr, flush=True)

    def _uncaptured(self) -> AbstractContextManager[None]:
        capture = self._config.pluginmanager.getplugin("capturemanager")
        return capture.global_and_fixture_disabled()  # type: ignore[union-attr]


@pytest.fixture(scope="session")
def lab_options(pytestconfig: pytest.Config) -> Options:
    """The values of all `--lab-*` options."""
    return pytestconfig.stash[OPTIONS]


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
def lab_bench(
    pytestconfig: pytest.Config, lab_cluster: Cluster
) -> Iterator[tuple[Kube, Prober, Gate]]:
    """The API, the prober and the gate, passed: every lab depends on it."""
    recorder = pytestconfig.stash[RECORDER]
    with (
        stopping(),
        Prober(lab_cluster.kubectl, lab_cluster.kubeconfig, lab_cluster.context) as prober,
    ):
        kube = Kube(lab_cluster.kubeconfig, lab_cluster.context)
        names = lab_cluster.internet.names if lab_cluster.internet else {}
        gate = Gate(kube, prober, images=lab_cluster.refs, internet=names)
        try:
            with TerminalProgress(pytestconfig).step("gate: does this cluster enforce policy?"):
                report = gate.prove()
            recorder.gate = asdict(report)
            yield kube, prober, gate
        finally:
            if not lab_cluster.owned:  # on ours the canaries stay for the next run
                gate.close()


@contextmanager
def stopping() -> Iterator[None]:
    """A fault of the machine or the cluster before the first row stops the whole run."""
    try:
        yield
    except HarnessError as error:
        pytest.exit(f"\n{error}", returncode=LOOK)


@pytest.fixture(scope="package")
def lab_play(
    request: pytest.FixtureRequest,
    lab_cluster: Cluster,
    lab_bench: tuple[Kube, Prober, Gate],
    lab_options: Options,
) -> Iterator[dict[str, Play]]:
    """The stages of the tutorials in this run, each made when its first row comes."""
    kube, prober, gate = lab_bench
    plays = _Plays(request.config, lab_cluster, kube, prober, gate, lab_options)
    try:
        yield plays
    finally:
        plays.close()


class _Plays(dict[str, Play]):
    """Plays by tutorial."""

    def __init__(
        self,
        config: pytest.Config,
        cluster: Cluster,
        kube: Kube,
        prober: Prober,
        gate: Gate,
        options: Options,
    ) -> None:
        super().__init__()
        self._config, self._cluster, self._kube = config, cluster, kube
        self._prober, self._gate, self._options = prober, gate, options
        self._stages: list[Stage] = []

    def __missing__(self, tutorial: str) -> Play:
        library = load(self._config.rootpath / "manifests" / tutorial)
        stage = Stage(
            self._kube,
            self._prober,
            library,
            images=self._cluster.refs,
            internet=self._cluster.internet.names if self._cluster.internet else {},
            fence=self._gate.fence,
            keep_policies=self._options["policies"] == "apply",
        )
        spaces = {
            r.name for resources in library.values() for r in resources if r.kind == "Namespace"
        }
        stage.clear(sorted(spaces))
        self._stages.append(stage)
        replayer = Replayer(self._cluster.kubectl, self._cluster.kubeconfig, self._cluster.context)
        bench = Bench(self._kube, self._prober, stage, replayer)
        self[tutorial] = Play(stage, replayer, bench, self._config.stash[TUTORIALS][tutorial])
        return self[tutorial]

    def close(self) -> None:
        """Remove the namespaces of all tutorials."""
        for stage in self._stages:
            stage.close()


@pytest.fixture
def observed(request: pytest.FixtureRequest, row: Row, lab_play: dict[str, Play]) -> Reading:
    """What the cluster shows for the row, as far as the row documents it.

    Raises:
        ProbeError: there is no verdict: the row is `not checked`, and the test an error.
    """
    recorder: Recorder = request.config.stash[RECORDER]
    test = request.node.nodeid
    observation = lab_play[_tutorial(request.node)].observe(row)
    record = recorder.observed(test, observation)
    if record.status is Status.NOT_CHECKED:
        raise ProbeError(record.problem, where=row.where)
    seen = observation.reading
    return seen if row.outcome.detail else Reading(seen.outcome)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a row's result into its record, and its failure into words."""
    report = yield
    recorder = item.config.stash[RECORDER]
    if not recorder.known(item.nodeid):
        return report
    recorder.took(item.nodeid, report.duration)
    record = recorder.record(item.nodeid)
    error = call.excinfo.value if call.excinfo else None
    if report.when == "setup" and isinstance(error, HarnessError):
        recorder.not_checked(item.nodeid, str(error))
        report.longrepr = f"not checked: {error}"
    if report.when == "call" and record.status is Status.FAIL:
        report.outcome = "failed"  # also where only the prediction disagrees
        if item.config.get_verbosity() < 2:  # noqa: PLR2004 - with -vv pytest's own traceback stays
            report.longrepr = _explain(item)
    if report.when == "teardown":
        recorder.write()
    return report


def _explain(item: pytest.Item) -> str:
    record = item.config.stash[RECORDER].record(item.nodeid)
    seen = record.observation.reading if record.observation else "-"
    lines = [
        f"{record.row.source} -> {record.row.to}",
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
    """Write the reports. Exit 0 only if every row was checked and none failed."""
    recorder = session.config.stash[RECORDER]
    if not recorder.records or session.config.option.collectonly:
        return
    recorder.interrupted = exitstatus == pytest.ExitCode.INTERRUPTED
    recorder.finish()
    if exitstatus == pytest.ExitCode.OK and not recorder.complete():
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Show each phase's flows with the three columns."""
    recorder = config.stash[RECORDER]
    if not recorder.records or config.option.collectonly:
        return
    width = max(80, min(terminalreporter._tw.fullwidth, 140))  # noqa: SLF001 - pytest has no public width
    console = Console(
        file=sys.stdout, width=width, force_terminal=terminalreporter._tw.hasmarkup or None
    )
    shown = terminal(
        recorder.records, results_dir=str(recorder.reports.folder), environment=recorder.environment
    )
    terminalreporter.ensure_newline()
    console.print(shown)
