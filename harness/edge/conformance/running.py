"""Cases on a live cluster: several sets of namespaces at the same time, each with its own pods.

Pods start slowly and policies change fast, so a set of pods stays for all cases that need the same
cast. A case is judged as the fuzz judges its own: the cluster is brought to the state, the flows
are polled until they show it, and then all are looked at; a difference is asked about twice.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from queue import SimpleQueue
from threading import Event, Lock

from harness.core.compare.sampling import sample
from harness.core.conformance.case import Case, Cast, State
from harness.core.conformance.judging import (
    Looked,
    differs,
    is_late_only,
    late_once,
    lost_row,
    other_ground,
    row_of,
    skipped_row,
    unfit,
    wanted,
    within,
)
from harness.core.conformance.placing import Place, policies, workloads
from harness.core.conformance.row import Row, Status
from harness.core.manifests.reader import Resource
from harness.core.observation import Answer
from harness.core.outcome import Reading
from harness.core.target import ExternalPort, PodPort, PodRef
from harness.core.target.ask import Ask
from harness.edge.cluster.opening import Cluster
from harness.edge.conformance.evidence import Evidence
from harness.edge.machine.threads import next_of
from harness.edge.probe.doors import Doors
from harness.edge.probe.programs.held import Held
from harness.edge.stage.stage import Entered
from harness.edge.stage.trial import Seen, Trial
from harness.errors import HarnessError

OUTSIDE, OUTSIDE_PORT = "google.com", 80
"""The name outside that the cases know."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How a run judges.

    Attributes:
        budget_ms: within how many ms a change of policies must be in force; None for no limit.
        listed: the names of cases that are known to fail: they are waited for only briefly.
        repeat: how many times each case is run.
        sample: whether flows between pods are sampled by the classes of pods that policies tell
            apart (`harness.core.compare.sampling`); other flows never are.
    """

    budget_ms: float | None
    listed: frozenset[str] = frozenset()
    repeat: int = 1
    sample: bool = False


class _OtherGroundError(Exception):
    """The case does not hold with the addresses of this cluster."""


class Ground:
    """One set of namespaces; `place` tells it from the others."""

    def __init__(
        self,
        cluster: Cluster,
        doors: Doors,
        place: Place,
        rules: Rules,
        *,
        fence: Callable[[], None],
    ) -> None:
        self._internet = cluster.internet
        self._trial = Trial(cluster, doors, fence=fence, internet=cluster.internet)
        self._place = place
        self._rules = rules
        self._evidence = Evidence(cluster, self._trial.kube, doors.programs(), self._place)
        self._cast: Cast | None = None

    def close(self) -> None:
        """Remove the namespaces."""
        self._trial.close()

    def run(self, case: Case) -> Row:
        """Run one case to its end; whatever happens, there is a row.

        A case that is late and nothing else is run once more.
        """
        if why := unfit(case, outside=self._is_outside_known):
            return skipped_row(case, why)
        row = self._once(case)
        return late_once(row, self._once(case)) if is_late_only(row) else row

    def _once(self, case: Case) -> Row:
        clock = self._trial.kube.clock
        began = clock.monotonic()
        looked: list[Looked] = []
        files: dict[str, str] = {}
        try:
            with closing(self._states(case)) as states:
                for number, state, held in states:
                    found = self._look(case, state, held, first=number == 1)
                    looked.append(found)
                    if wrong := self._wrong(found):
                        files |= self._evidence.files(case, state, wrong, self._addresses)
        except _OtherGroundError as error:
            return skipped_row(case, str(error))
        except HarnessError as error:
            return lost_row(case, error, clock.monotonic() - began)
        row = row_of(
            case,
            looked,
            self._place,
            budget_ms=self._rules.budget_ms,
            seconds=clock.monotonic() - began,
        )
        return replace(row, files=files) if row.status is Status.FAILED else row

    def _states(self, case: Case) -> Generator[tuple[int, State, Mapping[Ask, Held]], None, None]:
        """The states with their numbers, and the connections that earlier ones opened."""
        held: dict[Ask, Held] = {}
        with ExitStack() as ends:
            for number, state in enumerate(case.states, 1):
                yield number, state, held
                for ask in state.opens:
                    held[ask] = ends.enter_context(self._trial.hold(self._place.ask(ask)))

    def _look(self, case: Case, state: State, held: Mapping[Ask, Held], *, first: bool) -> Looked:
        trial = self._trial
        if first:
            if self._cast != state.cast:
                self._bare(state.cast)
            asks, _ = self._asks(state)
            if trial.uncontrolled(asks):
                self._bare(state.cast)
                trial.control(trial.uncontrolled(asks))
        patience = trial.kube.patience.shrink_try if case.name in self._rules.listed else None
        entered = self._bring(state, case.name, patience)
        asks, told = self._asks(state)
        state = within(state, asks, self._place)
        expected = wanted(state, self._place)
        found = trial.look(asks)
        found |= trial.again(found, lambda ask, seen: _differs(expected, ask, seen))
        living = {ask: Answer.of(each.ask) for ask, each in held.items()}
        if young := trial.uncontrolled(asks):
            # The pods are younger than the policies, so their control comes afterwards.
            self._bare(state.cast)
            trial.control(young)
            found = trial.sound(found)
        ms = entered.in_force_ms(asks)
        missing = entered.settled.missing
        return Looked(state, entered.scenario, found, ms, missing, living, sampled=told)

    def _asks(self, state: State) -> tuple[list[Ask], tuple[str, ...]]:
        """The flows of a state that are probed, and sentences about those that are not.

        Flows between pods are sampled where the rules say so; the sample needs the pods' addresses.
        """
        asks = [self._place.ask(ask) for ask in state.expected]
        if not self._rules.sample:
            return asks, ()
        scenario = self._trial.stage.told(self._objects(state))
        ends = {ask.target for ask in asks if isinstance(ask.target, PodPort)}
        ours = {self._place.ref(_ref(key)) for key in state.cast.pods}
        pods = {key: pod for key, pod in scenario.topology.pods.items() if pod.ref in ours}
        topology = replace(scenario.topology, pods=pods)
        ordered = sorted(ends, key=str)
        found = sample(topology, scenario.policies, ordered, self._trial.stage.pods.nodes)
        kept = {*found.asks}
        chosen = [a for a in asks if a in kept or not isinstance(a.target, PodPort)]
        told = f"{len(chosen)} of {len(asks)} flows are probed, by {found.classes} classes of pods"
        return chosen, tuple(map(self._place.short, filter(None, (told, found.unseen))))

    def _bring(self, state: State, name: str, patience: float | None) -> Entered:
        objects = self._objects(state)
        self._change_of_cast(state.cast)
        trial = self._trial
        return trial.bring(objects, name=name, patience=patience, shown=lambda: self._shown(state))

    def _shown(self, state: State) -> Mapping[Ask, Reading]:
        """What the flows that are probed must show.

        Raises:
            _OtherGroundError: the case does not hold with the addresses of this cluster.
        """
        asks, _ = self._asks(state)
        state = within(state, asks, self._place)
        scenario = self._trial.stage.told(self._objects(state))
        if where := other_ground(state, scenario, self._place):
            raise _OtherGroundError(where)
        return wanted(state, self._place)

    def _objects(self, state: State) -> tuple[Resource, ...]:
        return (
            *workloads(state.cast, self._place),
            *policies(state, self._place, self._addresses),
        )

    def _bare(self, cast: Cast) -> None:
        """Bring the cast to the cluster without any policy."""
        self._change_of_cast(cast)
        self._trial.bring(workloads(cast, self._place), name="no policies")

    def _change_of_cast(self, cast: Cast) -> None:
        """Forget the controls of the ends that go, or that become others."""
        before, self._cast = self._cast, cast
        if before is None:
            return
        # A pod that has other ports now is another pod; one with other labels is the same.
        stay = {key for key, pod in before.pods.items() if pod.is_same(cast.pods.get(key))}
        gone = {self._place.ref(_ref(key)) for key in before.pods.keys() - stay}
        changed = before.services != cast.services

        def stale(ask: Ask) -> bool:
            target = ask.target
            if isinstance(target, PodPort):
                return ask.source in gone or target.pod in gone
            return ask.source in gone or (changed and not isinstance(target, ExternalPort))

        self._trial.forget(stale)

    @property
    def _is_outside_known(self) -> bool:
        """Whether there is an address outside of the cluster that must answer without policies."""
        there = self._internet
        return there is not None and there.address(OUTSIDE, OUTSIDE_PORT) is not None

    @property
    def _addresses(self) -> dict[str, str]:
        """The pods' addresses by the names of the case."""
        found = self._trial.stage.pods.addresses
        return {self._place.short(key): address for key, address in found.items()}

    def _wrong(self, looked: Looked) -> dict[Ask, Reading]:
        """The flows that differ, with what they must show."""
        expected = wanted(looked.state, self._place)
        return {a: expected[a] for a, seen in looked.seen.items() if _differs(expected, a, seen)}


def _differs(expected: Mapping[Ask, Reading], ask: Ask, seen: Seen) -> bool:
    return ask in expected and differs(expected[ask], seen)


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
    """Cases of one topology after each other, those last that change it: pods start slowly."""

    def changes(case: Case) -> bool:
        first = case.states[0].cast
        return bool(first.services) or any(state.cast != first for state in case.states)

    return sorted(
        cases,
        key=lambda case: (
            -sum(c.topology == case.topology for c in cases),
            case.topology,
            changes(case),
        ),
    )


def _ref(key: str) -> PodRef:
    namespace, _, name = key.partition("/")
    return PodRef(namespace, name)
