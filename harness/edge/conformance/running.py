"""Cases on a live cluster: several sets of namespaces at the same time, each with its own pods.

Pods start slowly and policies change fast, so a set of pods stays for all cases that need the same
cast (`ground` is one set).
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Collection, Generator
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from threading import Event, Lock

from harness.core.conformance.case import Case
from harness.core.conformance.judging import lost_row
from harness.core.conformance.placing import Place
from harness.core.conformance.row import Row
from harness.edge.cluster.opening import Cluster
from harness.edge.conformance.ground import Ground, Rules
from harness.edge.machine.threads import next_of
from harness.edge.probe.doors import Doors
from harness.errors import HarnessError


class Running:
    """Several grounds at the same time on one cluster, in `jobs` threads.

    `run` are a few letters that tell the namespaces of this run from those of others there.
    """

    def __init__(
        self,
        cluster: Cluster,
        doors: Doors,
        fence: Callable[[], None],
        rules: Rules,
        *,
        jobs: int,
        run: str = "",
    ) -> None:
        self._run = run
        self._cluster = cluster
        self._doors = doors
        self._fence = fence
        self._rules = rules
        self._jobs = jobs
        self._lock, self._stop = Lock(), Event()

    def run(self, cases: Collection[Case]) -> Generator[Row, None, None]:
        """The row of each case, `repeat` times, as soon as it is known, in no fixed order.

        The namespaces are removed however the iteration ends, even by Ctrl-C.
        """
        left = deque(case for case in _in_order(cases) for _ in range(self._rules.repeat))
        count, rows = len(left), SimpleQueue[Row]()
        jobs = min(self._jobs, count)
        pool = ThreadPoolExecutor(jobs)
        try:
            threads = [pool.submit(self._work, n, left, rows.put) for n in range(1, jobs + 1)]
            for _ in range(count):
                yield next_of(rows, threads)
        finally:
            # After an interrupt, each ground finishes its current case and then goes.
            self._stop.set()
            pool.shutdown(cancel_futures=True)

    def _work(self, number: int, left: deque[Case], tell: Callable[[Row], None]) -> None:
        ground: Ground | None = None
        try:
            while not self._stop.is_set():
                try:
                    case = left.popleft()
                except IndexError:
                    return
                if ground is None:
                    try:
                        ground = self._ground(number)
                    except HarnessError as error:
                        tell(lost_row(case, error, 0.0))
                        continue
                tell(ground.run(case))
        finally:
            if ground is not None:
                ground.close()

    def _ground(self, number: int) -> Ground:
        place = Place(number, self._run)
        return Ground(self._cluster, self._doors, place, self._rules, fence=self._one_at_a_time)

    def _one_at_a_time(self) -> None:
        with self._lock:
            self._fence()


def _in_order(cases: Collection[Case]) -> list[Case]:
    """Cases of one topology after each other, those last that change it: pods start slowly.

    Before them come the cases that begin with other labels than most: a CNI may take half a minute
    until it has them.
    """

    def changes(case: Case) -> bool:
        first = case.states[0].cast
        return bool(first.services) or any(state.cast != first for state in case.states)

    def begins(case: Case) -> tuple[str, str]:
        return case.topology, str(case.states[0].cast)

    topologies = Counter(case.topology for case in cases)
    beginnings = Counter(map(begins, cases))
    return sorted(
        cases,
        key=lambda case: (
            -topologies[case.topology],
            case.topology,
            changes(case),
            -beginnings[begins(case)],
            begins(case),
        ),
    )
