"""One set of namespaces on a live cluster, and the cases in it, one after the other.

A case is judged as the fuzz judges its own: the cluster is brought to the state, the flows are
polled until they show it, and then all are looked at; a difference is asked about twice.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace

from harness.core.compare.sampling import sample
from harness.core.conformance.case import Case, Cast, State
from harness.core.conformance.judging import (
    Looked,
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
from harness.core.conformance.placing import Addresses, Place, policies, workloads
from harness.core.conformance.row import Row, Status
from harness.core.fuzz.result import differs
from harness.core.manifests.reader import Resource
from harness.core.observation import Answer
from harness.core.outcome import Reading
from harness.core.target import ExternalPort, PodPort, PodRef
from harness.core.target.ask import Ask
from harness.edge.api.namespaces import wait_gone
from harness.edge.cluster.opening import Cluster
from harness.edge.conformance.evidence import Evidence
from harness.edge.probe.doors import Doors
from harness.edge.probe.programs.held import Held
from harness.edge.stage.stage import Entered
from harness.edge.stage.trial import Trial
from harness.errors import HarnessError, NoSctpError

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
        self._asked_by = cluster.lane.value.with_addresses
        self._ended: dict[str, tuple[str, ...]] = {}
        self._no_sctp = ""  # what the kernel answered to the first case that has SCTP

    def close(self) -> None:
        """Remove the namespaces."""
        self._trial.close()

    def run(self, case: Case) -> Row:
        """Run one case to its end; whatever happens, there is a row.

        A case that is late and nothing else is run once more.
        """
        why = unfit(
            case,
            outside=self._is_outside_known,
            addresses=self._asked_by is not None,
            no_sctp=self._no_sctp,
        )
        if why:
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
                    looked.append(self._look(case, state, held, first=number == 1))
                    # The first state that fails is shown, while it stands.
                    if not files and self._row(case, looked, began).status is Status.FAILED:
                        wrong = self._wrong(looked[-1])
                        files = self._evidence.files(case, number, wrong, self._addresses)
        except _OtherGroundError as error:
            return skipped_row(case, str(error))
        except NoSctpError as error:
            self._no_sctp = error.what
            return skipped_row(case, error.what)
        except HarnessError as error:
            return lost_row(case, error, clock.monotonic() - began)
        return replace(self._row(case, looked, began), files=files)

    def _row(self, case: Case, looked: list[Looked], began: float) -> Row:
        seconds = self._trial.kube.clock.monotonic() - began
        budget_ms = self._rules.budget_ms
        return row_of(case, looked, self._place, budget_ms=budget_ms, seconds=seconds)

    def _states(self, case: Case) -> Generator[tuple[int, State, Mapping[Ask, Held]], None, None]:
        """The states with their numbers, and the connections that earlier ones opened."""
        held: dict[Ask, Held] = {}
        with ExitStack() as ends:
            ends.callback(self._remove_ended)
            for number, state in enumerate(case.states, 1):
                for key in state.ends:
                    ref = self._place.ref(_ref(key))
                    self._ended[key] = self._trial.stage.pods.address(ref)
                    self._trial.end(ref)
                yield number, state, held
                for ask in state.opens:
                    held[ask] = ends.enter_context(self._trial.hold(self._place.ask(ask)))

    def _look(self, case: Case, state: State, held: Mapping[Ask, Held], *, first: bool) -> Looked:
        trial = self._trial
        if first:
            if other := self._cast != state.cast:
                self._bare(state.cast)
            asks, _ = self._asks(state)
            if other or trial.uncontrolled(asks):
                self._bare(state.cast)
                trial.control(asks)
        patience = trial.kube.patience.shrink_try if case.name in self._rules.listed else None
        entered = self._bring(state, case.name, patience)
        asks, told = self._asks(state)
        state = within(state, asks, self._place)
        expected = wanted(state, self._place)
        found = trial.look(asks)
        found |= trial.again(found, expected)
        living = {ask: Answer.of(each.ask) for ask, each in held.items()}
        if young := trial.uncontrolled(asks):
            # The pods are younger than the policies, so their control comes afterwards.
            self._bare(state.cast)
            trial.control(young)
            found = trial.sound(found)
        ms, missing = entered.in_force_ms, entered.settled.missing
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
        self._check_addresses(state.cast)
        asks, _ = self._asks(state)
        state = within(state, asks, self._place)
        scenario = self._trial.stage.told(self._objects(state))
        if where := other_ground(state, scenario, self._place):
            raise _OtherGroundError(where)
        return wanted(state, self._place)

    def _objects(self, state: State) -> tuple[Resource, ...]:
        return (
            *self._workloads(state.cast),
            *policies(state, self._place, self._addresses),
        )

    def _workloads(self, cast: Cast) -> tuple[Resource, ...]:
        """The objects of a cast; a pod asks for the address of one that ended."""
        asked = self._asked_by
        wanted = {
            key: asked(self._ended[pod.address_of])
            for key, pod in cast.pods.items()
            if asked and pod.address_of
        }
        return workloads(cast, self._place, wanted)

    def _check_addresses(self, cast: Cast) -> None:
        """Check that pods got the addresses that they asked for: else the case shows nothing."""
        for key, pod in cast.pods.items():
            found = self._trial.stage.pods.address(self._place.ref(_ref(key)))
            if pod.address_of and found != self._ended[pod.address_of]:
                raise _OtherGroundError(f"{key} did not get the address of {pod.address_of}")

    def _remove_ended(self) -> None:
        """Remove the pods that a case let end, for the next case wants their names."""
        bodies = []
        for key in self._ended:
            ref = self._place.ref(_ref(key))
            meta = {"namespace": ref.namespace, "name": ref.name}
            bodies.append({"apiVersion": "v1", "kind": "Pod", "metadata": meta})
        for body in bodies:
            self._trial.kube.delete(body, grace=0)
        wait_gone(self._trial.kube, bodies)
        self._ended.clear()

    def _bare(self, cast: Cast) -> None:
        """Bring the cast to the cluster without any policy."""
        self._change_of_cast(cast)
        self._trial.bring(self._workloads(cast), name="no policies")

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
    def _addresses(self) -> Addresses:
        """The pods' addresses by the names of the case."""
        pods = self._trial.stage.pods
        return {self._place.short(str(pod)): pods.address(pod) for pod in pods.known}

    def _wrong(self, looked: Looked) -> dict[Ask, Reading]:
        """The flows that differ, with what they must show."""
        expected = wanted(looked.state, self._place)
        return {ask: want for ask, want in expected.items() if differs(want, looked.seen[ask])}


def _ref(key: str) -> PodRef:
    namespace, _, name = key.partition("/")
    return PodRef(namespace, name)
