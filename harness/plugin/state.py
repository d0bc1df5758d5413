"""The plugin's state during one run of pytest, in the stash of pytest's configuration."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from harness.core.lab.documented import Row
from harness.core.manifests.library import Library
from harness.edge.files.runs import Runs
from harness.exitcode import ExitCode
from harness.plugin.options import Options, cluster_spec, options_of
from harness.plugin.recorder import Recorder

OFFLINE = "offline"
"""What stands in the place of the CNI in the folder of a run without a cluster."""


@dataclass(slots=True)
class State:
    """The state of one run.

    Attributes:
        options: the options in force.
        recorder: the records of the rows.
        cluster: the name of policylab's cluster that this run uses; empty if the run has no
            cluster that it may delete at the end.
        fault: the exit code of the fault that stopped this worker; None if nothing stopped it.
        rows: the rows of each tutorial, in the order of collection.
        libraries: the manifests of each tutorial.
        unsaid: whether a row of a submission has no verdict.
    """

    options: Options
    recorder: Recorder
    cluster: str = ""
    fault: ExitCode | None = None
    rows: dict[str, list[Row]] = field(default_factory=dict)
    libraries: dict[str, Library] = field(default_factory=dict)
    unsaid: bool = False


_STATE = pytest.StashKey[State]()


def make_state(config: pytest.Config) -> None:
    """Resolve the options, and note that there are no records yet.

    Raises:
        pytest.UsageError: the options are wrong, or contradict each other.
    """
    options = options_of(config)
    runs = Runs(config.rootpath / options["report-dir"])  # an absolute folder stays as it is
    command = " ".join(["pytest", *map(str, config.invocation_params.args)])
    lane = cluster_spec(config, options).lane
    kind = OFFLINE if options.offline else lane.key
    recorder = Recorder(runs, kind, command=command, offline=options.offline)
    recorder.profile = lane.value.profile.told
    if options.offline:  # no cluster will say it, and the tables' outcomes depend on it
        recorder.environment = lane.facts
    config.stash[_STATE] = State(options, recorder)


def state_of(config: pytest.Config) -> State:
    """The plugin's state in this run."""
    return config.stash[_STATE]
