"""A whole run of a tutorial on a fake cluster: the gate, every step, and each row's result."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from harness.core.lab.documented import Row
from harness.core.lab.record import Status, status_of
from harness.core.manifests.library import Library, in_force
from harness.core.observation import Observation
from harness.core.outcome import Reading
from harness.core.predict.scenario import Scenario
from harness.core.target.family import IPV4, Families
from harness.edge.cni.known import PROFILES
from harness.edge.files.labs import load_shown
from harness.edge.files.library import load
from harness.errors import HarnessError
from harness.plays import Plays, proven
from harness.progress import Quiet
from tests.fakes.cluster import FakeCluster

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Result:
    """What a run found of one row; `seen` is None where there is no verdict."""

    row: Row
    status: Status
    seen: Observation | None
    problem: str

    @property
    def name(self) -> str:
        """The row as a person would name it: its step, and who asks whom."""
        command = f" ({' '.join(self.row.command)})" if self.row.command else ""
        return f"{self.row.step}: {self.row.source} -> {self.row.target}{command}"


@cache
def library(tutorial: str, families: Families = IPV4) -> Library:
    """The tutorial's manifests."""
    return load(ROOT / "manifests" / tutorial, families)


def _tutorials() -> Mapping[str, Mapping[str, tuple[Row, ...]]]:
    return {
        tutorial: {
            name: found
            for name, profile in PROFILES.items()
            if (found := tuple(each.row.on(profile) for each in shown if each.on(name)))
        }
        for tutorial, shown in load_shown().items()
    }


TUTORIALS = _tutorials()
"""The rows of each tutorial by the CNI that can show them."""


@cache
def predicted(tutorial: str, row: Row, families: Families = IPV4) -> Reading | None:
    """What the oracle says of a row."""
    resources = in_force(library(tutorial, families), row.apply)
    return Scenario(resources, families=families).predict(row.ask).reading


def play(tutorial: str, cluster: FakeCluster) -> list[Result]:
    """Run a tutorial from its gate to its end.

    Raises:
        HarnessError: the gate did not pass, so nothing was run.
    """
    wanted = TUTORIALS[tutorial][cluster.cni.name]
    return played(tutorial, cluster, wanted, library(tutorial, cluster.families))


def played(
    tutorial: str, cluster: FakeCluster, wanted: Iterable[Row], manifests: Library
) -> list[Result]:
    """Run these rows over these manifests."""
    rows_ = list(wanted)
    value = cluster.value()
    internet = cluster.internet
    with proven(value, Quiet(), internet=internet, doors=cluster) as live:
        plays = Plays(live, {tutorial: manifests}, {tutorial: rows_})
        with closing(plays):
            plays.start()
            return [_result(tutorial, row, plays, cluster.families) for row in rows_]


def _result(tutorial: str, row: Row, plays: Plays, families: Families) -> Result:
    try:
        seen = plays[tutorial].observe(row)
    except HarnessError as error:
        return Result(row, Status.NOT_CHECKED, None, str(error))
    status, problem = status_of(row, predicted(tutorial, row, families), seen)
    return Result(row, status, seen, problem)


def by_name(results: Iterable[Result]) -> Mapping[str, Result]:
    """The results by the names of their rows."""
    return {result.name: result for result in results}
