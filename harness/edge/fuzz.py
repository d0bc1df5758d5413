"""Random cases on a live cluster: compares the CNI with the oracle, and shrinks differing cases.

The pods of a world are started once, in their own namespaces, so that several worlds can be on the
cluster at the same time. Each case changes only policies. Once its flows show the change, all flows
are judged in one round.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import groupby
from queue import SimpleQueue
from threading import Event, Lock
from typing import Self

from harness.core.fuzz.cases import Case
from harness.core.fuzz.corpus import corpus_text
from harness.core.fuzz.result import Judged, asks_of, decided, judge
from harness.core.fuzz.shrinking import smaller
from harness.edge.cluster.opening import Cluster
from harness.edge.machine.threads import next_of
from harness.edge.probe.doors import Doors
from harness.edge.stage.stage import Entered
from harness.edge.stage.trial import Trial
from harness.errors import HarnessError


@dataclass(frozen=True, slots=True)
class Finding:
    """A case about which the oracle and the cluster differ.

    Attributes:
        drawn: the result of the case as it was drawn.
        shrunk: the result of the shrunk case.
        tries: the number of smaller cases that were tried.
        stays: whether the two differed again when the shrunk case was run once more at the end.
        text: the shrunk case as a file for tests/corpus.
    """

    drawn: Judged
    shrunk: Judged
    tries: int
    stays: bool
    text: str


class World:
    """The pods of one world, on which its cases run. Use it as a context manager."""

    def __init__(self, cluster: Cluster, doors: Doors, *, fence: Callable[[], None]) -> None:
        self._trial = Trial(cluster, doors, fence=fence)
        self._kube = self._trial.kube
        self._opened = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the namespaces."""
        self._trial.close()

    def run(self, case: Case, *, patience: float | None = None) -> Judged:
        """Bring the case into force and judge all of its flows.

        A difference counts only if it is still there when every change is certainly in force. A
        difference that disappears is counted as no verdict. `patience` is the number of seconds in
        which the case must come into force; the default is that of all changes.

        Raises:
            HarnessError: the case could not be brought into force.
        """
        entered = self._enter(case, patience)
        expected = decided(entered.scenario)
        seen = self._trial.look(expected)
        seen |= self._trial.again(seen, expected)
        judged = judge(case, entered.scenario, seen)
        return replace(judged, in_force_ms=entered.in_force_ms)

    def shrink(self, drawn: Judged, *, source: str, stop: Event) -> Finding:
        """Leave out parts of the case as long as the cluster still differs from the oracle."""
        best, tries, end = drawn, 0, self._kube.clock.monotonic() + self._kube.patience.shrink
        better: Judged | None = drawn
        while better:
            better = None
            for case in smaller(best.case):
                if stop.is_set() or self._kube.clock.monotonic() > end:
                    break
                tries += 1
                found = self.run(case, patience=self._kube.patience.shrink_try)
                if found.disagreed:
                    best = better = found
                    break
        # The shrunk case runs once more, with the full patience.
        stays = bool(self.run(best.case).disagreed)
        source += "" if stays else "; when it was run again, the cluster agreed"
        scenario = self._enter(best.case).scenario
        text = corpus_text(best.case, scenario, best.disagreed, source=source)
        return Finding(drawn, best, tries, stays, text)

    def _enter(self, case: Case, patience: float | None = None) -> Entered:
        if not self._opened:
            bare = case.bare
            scenario = self._trial.bring(bare.resources, name=bare.name).scenario
            self._trial.control(asks_of(scenario))
            self._opened = True
        trial, resources = self._trial, case.resources
        return trial.bring(
            resources,
            name=case.name,
            patience=patience,
            shown=lambda: decided(trial.stage.told(resources)),
        )


@dataclass(frozen=True, slots=True)
class Lost:
    """A case that could not be brought into force, and why."""

    case: Case
    error: HarnessError


Result = Judged | Finding | Lost


class Fuzz:
    """Several worlds at the same time on one cluster, in `jobs` threads."""

    def __init__(
        self,
        cluster: Cluster,
        doors: Doors,
        fence: Callable[[], None],
        *,
        jobs: int,
    ) -> None:
        self._cluster = cluster
        self._doors = doors
        self._fence = fence
        self._jobs = jobs
        self._lock = Lock()
        self._stop = Event()

    def run(self, cases: Iterable[Case], *, source: str) -> Generator[Result, None, None]:
        """The result of each case as soon as it is known, in no fixed order.

        `source` names the CNI and the seed in a finding's file. The namespaces are removed however
        the iteration ends, even by Ctrl-C.
        """
        worlds = [list(found) for _, found in groupby(cases, lambda case: case.world)]
        results: SimpleQueue[Result] = SimpleQueue()
        pool = ThreadPoolExecutor(max_workers=self._jobs)
        try:
            running = [pool.submit(self._world, found, source, results.put) for found in worlds]
            for _ in range(sum(map(len, worlds))):
                yield next_of(results, running)
        finally:
            # After an interrupt, each world finishes its current case and then stops.
            self._stop.set()
            pool.shutdown(cancel_futures=True)

    def _world(self, cases: Sequence[Case], source: str, tell: Callable[[Result], None]) -> None:
        try:
            world = World(self._cluster, self._doors, fence=self._one_at_a_time)
        except HarnessError as error:
            for case in cases:
                tell(Lost(case, error))
            return
        with world:
            for case in cases:
                if self._stop.is_set():
                    return
                tell(self._one(world, case, source))

    def _one(self, world: World, case: Case, source: str) -> Result:
        try:
            judged = world.run(case)
            if not judged.disagreed:
                return judged
            return world.shrink(judged, source=f"{source}, {case.name}", stop=self._stop)
        except HarnessError as error:
            return Lost(case, error)

    def _one_at_a_time(self) -> None:
        with self._lock:
            self._fence()
