"""The fixtures: `observed`, which a lab's test asks for, and the fixtures that it needs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

import pytest

from harness.core.grading.judge import Predicted
from harness.core.grading.model import Grade
from harness.core.lab.documented import Row
from harness.core.lab.record import Observed, Status, Unobserved
from harness.errors import ProbeError
from harness.plugin.options import Options, cluster_spec, patience_of
from harness.plugin.rows import tutorial_of
from harness.plugin.state import state_of
from harness.plugin.stopping import stopping
from harness.plugin.submission import prepared
from harness.plugin.workers import is_worker, name_of, progress_of, share

if TYPE_CHECKING:
    from harness.edge.cluster.opening import Cluster
    from harness.edge.probe.doors import Doors
    from harness.plays import Live, Plays

OFFER = (
    "Without a cluster, `pytest labs/ --lab-offline` compares what the tutorials say with what the "
    "policies predict, within seconds."
)
"""What can be done where no cluster can be had."""

# What a live run alone needs (the client of the API, above all) is imported when it is used: a run
# without a cluster begins at once, and on machines that do not have all of it.


@pytest.fixture(scope="session")
def lab_options(pytestconfig: pytest.Config) -> Options:
    """The values of all `--lab-*` options."""
    return state_of(pytestconfig).options


@pytest.fixture(scope="session")
def lab_cluster(request: pytest.FixtureRequest, lab_options: Options) -> Cluster:
    """The live cluster: as the options say, it is new, used again, or the user's own.

    At the end the run deletes it, if the options say so (`harness.plugin.hooks`).
    """
    from harness.edge.cluster.opening import open_cluster
    from harness.edge.cluster.tools import tools_with

    config, state = request.config, state_of(request.config)
    spec, progress = cluster_spec(config, lab_options), progress_of(config)
    tools = tools_with(patience_of(lab_options))
    with stopping(request, offer=OFFER):
        cluster = share(request, lambda: open_cluster(spec, progress, tools))
    state.recorder.environment = dict(cluster.environment)
    state.cluster = cluster.name if cluster.owned else ""
    return cluster


@pytest.fixture(scope="session")
def lab_doors(lab_cluster: Cluster) -> Doors:
    """The ways to the live cluster: its API, its probers and the programs in its pods."""
    from harness.plays import doors_of

    return doors_of(lab_cluster)


@pytest.fixture(scope="session")
def lab_opened(
    request: pytest.FixtureRequest, lab_cluster: Cluster, lab_doors: Doors
) -> Iterator[Live]:
    """The API, the prober and the gate, which the cluster still has to pass."""
    from harness.plays import opened

    progress, worker = progress_of(request.config), name_of(request.config)
    with (
        stopping(request),
        opened(
            lab_cluster, progress, internet=lab_cluster.internet, doors=lab_doors, user=worker
        ) as live,
    ):
        yield live


@pytest.fixture(scope="session")
def lab_live(request: pytest.FixtureRequest, lab_opened: Live) -> Live:
    """The instruments, after the cluster passed the gate: every lab depends on it."""
    with stopping(request):
        state_of(request.config).recorder.gate = asdict(lab_opened.proof.result())
    return lab_opened


@pytest.fixture(scope="session")
def lab_plays(
    request: pytest.FixtureRequest, lab_opened: Live, lab_options: Options
) -> Iterator[Plays]:
    """The tutorials of this run, each on its stage.

    They begin while the gate is still being proved, and no row is shown before that. A worker
    begins a tutorial when its first row is asked for: others have the other tutorials.
    """
    from harness.plays import Plays

    state = state_of(request.config)
    plays = Plays(
        lab_opened,
        state.libraries,
        state.rows,
        with_policies=lab_options["policies"] == "apply",
    )
    try:
        with stopping(request):
            if not is_worker(request.config):
                plays.start()
        request.getfixturevalue("lab_live")
        yield plays
    finally:
        plays.close()
        state.recorder.changes = plays.changes


@pytest.fixture(scope="session")
def lab_graded(request: pytest.FixtureRequest, lab_options: Options) -> Grade:
    """The grade of the submission that this run is about: on the cluster, or by prediction."""
    submitted = prepared(request.config)
    if lab_options.offline:
        return submitted.graded(Predicted(submitted.profile))
    from harness.edge.grading.observed import Observed

    live: Live = request.getfixturevalue("lab_live")
    profile, progress = submitted.profile, progress_of(request.config)
    cluster, fence = live.cluster, live.gate.fence
    made = Observed(cluster, live.doors, fence, profile, progress, keep=cluster.owned)
    with stopping(request), made as judge:
        judge.open(submitted.world)
        return submitted.graded(judge)


@pytest.fixture
def observed(request: pytest.FixtureRequest, row: Row) -> Observed | Unobserved:
    """The observation of the row; a comparison with a reading (`==`) gives the row's verdict.

    In a run without a cluster the prediction takes its place, and a row without a prediction is
    skipped.

    Raises:
        ProbeError: there is no verdict: the row is `not checked`, and pytest reports an error.
    """
    recorder = state_of(request.config).recorder
    test = request.node.nodeid
    if recorder.offline:
        foretold = Unobserved(row, recorder.record(test).predicted)
        record = recorder.unobserved(test, foretold)
        if record.status is Status.NOT_CHECKED_OFFLINE:
            pytest.skip(f"not checked offline: {record.problem}")
        return foretold
    with stopping(request):
        play = request.getfixturevalue("lab_plays")[tutorial_of(request.node)]
    observation = play.observe(row)
    found = Observed(row, recorder.record(test).predicted, observation)
    record = recorder.observed(test, found)
    if record.status is Status.NOT_CHECKED:
        raise ProbeError(record.problem, where=row.where)
    return found
