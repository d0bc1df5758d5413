"""Labs on several processes of pytest-xdist (`-n 2`): tutorials side by side on one cluster.

The controller collects the labs itself, before any worker touches the cluster. It therefore knows
every row, and reports a wrong lab or option once. The rows of a tutorial stay together in one
worker. Each worker has its own canaries. The first worker makes the cluster, and the others use it.
Each worker sends the rows that it checked, and only the controller writes the results.
"""

from __future__ import annotations

import pickle
import signal
from collections.abc import Callable, Generator, Mapping
from typing import Any

import pytest

from harness.edge.cluster.state import Cluster
from harness.errors import ContentError, EnvironmentFault, HarnessError
from harness.exitcode import ExitCode
from harness.plugin.declared import asks_for_labs
from harness.plugin.state import State, state_of
from harness.progress import TerminalProgress
from harness.report.document import plain

KEY = "policylab"
"""The key under which the controller and the workers exchange messages."""

EXIT_SECONDS = 30
"""How long pytest-xdist waits for a worker to end before it kills the worker."""

FIRST_SECONDS = 3600.0
"""Seconds that a worker waits for the first worker, which may have to build images."""


def is_worker(config: pytest.Config) -> bool:
    """Whether this process is a worker of pytest-xdist."""
    return hasattr(config, "workerinput")


def is_controller(config: pytest.Config) -> bool:
    """Whether this process hands its tests to workers of pytest-xdist."""
    return not is_worker(config) and getattr(config.option, "dist", "no") != "no"


def name_of(config: pytest.Config) -> str:
    """The worker's name, `gw0` for example; empty in a run without workers."""
    return str(config.workerinput["workerid"]) if is_worker(config) else ""  # type: ignore[attr-defined]


def progress_of(config: pytest.Config) -> TerminalProgress:
    """The progress messages of this process; a worker puts its name before each message."""
    return TerminalProgress(config, name_of(config))


# The side of a worker.


def refuse_unknown_rows(config: pytest.Config) -> None:
    """Refuse labs that the controller does not know, because they are not in `labs/`.

    Raises:
        ContentError: this is a worker, and its controller expects no rows.
    """
    if is_worker(config) and not config.workerinput.get(KEY):  # type: ignore[attr-defined]
        raise ContentError(
            "labs that are not in the folder labs/ cannot run on several workers",
            try_="leave out -n",
        )


def share(request: pytest.FixtureRequest, make: Callable[[], Cluster]) -> Cluster:
    """The cluster that the first worker makes and the others use; each worker waits for its turn.

    Raises:
        HarnessError: the cluster could not be made, by this worker or by the first one.
    """
    if not is_worker(request.config):
        return make()
    from harness.edge.machine.filelock import FileLock  # workers alone need it

    # The folder belongs to this run, and only the user who runs it can read it.
    folder = request.getfixturevalue("tmp_path_factory").getbasetemp().parent
    lock, file = FileLock(folder / "policylab.lock"), folder / "policylab.cluster"
    lock.take("the first worker has made the cluster", seconds=FIRST_SECONDS)
    try:
        if not file.exists():
            file.write_bytes(pickle.dumps(_made(make)))
        found = pickle.loads(file.read_bytes())  # noqa: S301 - written by a worker of this run
    finally:
        lock.release()
    if isinstance(found, Cluster):
        return found
    raise found


def _made(make: Callable[[], Cluster]) -> Cluster | HarnessError:
    try:
        return make()
    except HarnessError as error:
        return EnvironmentFault(error.what, where=error.where, seen=error.seen, try_=error.try_)


def let_tidy_up() -> None:
    """Go on after Ctrl-C until the worker's namespaces are removed.

    pytest-xdist interrupts a worker once more, 5 s after its controller was interrupted.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def tell(report: pytest.TestReport, row: Mapping[str, Any] | None, code: ExitCode | None) -> None:
    """Attach a row, or the exit code of a failed test, to the report for the controller."""
    setattr(report, KEY, {"row": row, "code": code.value if code else None})


def hand_over(config: pytest.Config) -> None:
    """Send the cluster, the gate and the speed of changes to the controller at the worker's end."""
    state = state_of(config)
    config.workeroutput[KEY] = plain(  # type: ignore[attr-defined]
        {
            "environment": state.recorder.environment,
            "gate": state.recorder.gate,
            "changes": list(state.recorder.changes),
            "cluster": state.cluster,
            "fault": state.fault,
        }
    )


# The side of the controller.


class Controller:
    """The additional hooks of a run with workers; only the controller registers them."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._state: State = state_of(config)
        self._labs = asks_for_labs(config)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell each worker that the controller knows the rows; leave it time to tidy up."""
        node.workerinput[KEY] = self._labs
        node.nodemanager.EXIT_TIMEOUT = EXIT_SECONDS

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> Generator[None, object, object]:
        """Collect in the controller as well; pytest-xdist leaves the collection to the workers.

        Raises:
            pytest.UsageError: a lab is wrong, or its rows cannot be spread over these workers.
        """
        if self._labs:
            session.perform_collect()
            if session.testsfailed and not session.config.option.continue_on_collection_errors:
                raise session.Interrupted(f"{session.testsfailed} errors during collection")
            if self._state.recorder.tutorials:
                self._refuse_other_workers()
        return (yield)

    def _refuse_other_workers(self) -> None:
        option = self._config.option
        if option.dist == "each":
            raise pytest.UsageError("--dist=each would run each tutorial twice on one cluster")
        if any(not spec.rpartition("*")[2].startswith("popen") for spec in option.tx):
            raise pytest.UsageError("labs can be spread over workers on this machine only")

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> Any:
        """Keep the rows of a tutorial together; a run without labs keeps pytest-xdist's order."""
        from harness.plugin.scheduling import ByTutorial  # the import needs pytest-xdist

        tutorials = self._state.recorder.tutorials
        return ByTutorial(config, log, tutorials) if tutorials else None

    # First, so that Ctrl-C loses no row that was already printed as passed.
    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take over the rows that workers have checked, and the exit codes of failed tests."""
        recorder = self._state.recorder
        told = getattr(report, KEY, None)
        if told is None:
            if report.failed:  # the report is from pytest-xdist: the worker has crashed
                recorder.lost(report.nodeid, str(report.longrepr))
            return
        if told["row"]:
            recorder.take(report.nodeid, told["row"])
        if told["code"]:
            recorder.failed(ExitCode(told["code"]))
        recorder.write()

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:  # noqa: ARG002
        """Take over the last message of a worker; a worker that crashed has sent none."""
        told = getattr(node, "workeroutput", {}).get(KEY)
        if not told:
            return
        recorder = self._state.recorder
        recorder.environment = told["environment"] or recorder.environment
        recorder.gate = recorder.gate or told["gate"]
        recorder.changes = [*recorder.changes, *told["changes"]]
        self._state.cluster = self._state.cluster or told["cluster"]
        if told["fault"]:
            recorder.failed(ExitCode(told["fault"]))
