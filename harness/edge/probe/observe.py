"""Observes flows from clients in the pods: the only way to probe a live cluster.

All asks are probed at once, in one round of all pods (names take a round before, after which they
are connected to), and each over every family of addresses that its ends have. A round costs one
deadline where something is silent, and milliseconds where all is answered, however many flows there
are. Each port of a pod that is asked is also asked by that pod itself, inside its own network
namespace, as the control.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol as Interface

from harness.core.dns.resolvconf import ResolvConf
from harness.core.model import Protocol
from harness.core.observation import Answer, Attempt, Observation, Phase
from harness.core.outcome import Outcome
from harness.core.policy.reachability import Address, Matrix, asks_of
from harness.core.probe.attempts import JUDGE, Attempts, Item, Pace, spaced
from harness.core.probe.cells import Cell
from harness.core.probe.families import joined
from harness.core.probe.judge import Plan, connection, names, resolved_first
from harness.core.target import NamePort, PodPort, PodRef
from harness.core.target.ask import Ask
from harness.core.target.family import Family
from harness.edge.probe.addresses import Addresses
from harness.edge.probe.plan import BY_NAME, Planner
from harness.edge.probe.prober import Prober
from harness.edge.probe.wire import Listener
from harness.errors import NoSctpError, StarvedListenerError

NO_SCTP = frozenset({"EPROTONOSUPPORT", "ESOCKTNOSUPPORT"})
"""How a kernel answers who asks for a socket of a protocol that it does not have: socket(2)."""

ROUND_ITEMS = 4000
"""Probes of one round: sockets that a machine of two cores opens without starving its probers."""

ROUNDS_AGAIN = 3
"""How often a round is made again whose listeners were starved: a second or two each time."""

AT_ONCE, SPREAD_SECONDS = 1000, 0.0003
"""Probes that begin together, and the seconds by which each further one stretches the beginning.

All at once they would starve each other on two cores, and be void.
"""


Way = tuple[Ask, Family]
"""An ask over one family of addresses."""


class Reader(Interface):
    """What puts asks to a cluster: for product code the `Observer`."""

    def read(
        self, asks: Iterable[Ask], pace: Pace = JUDGE, *, closing: frozenset[Ask] = frozenset()
    ) -> dict[Ask, Answer[Observation]]:
        """Observe every ask.

        Flows in `closing` are attempted without a pause, because they will soon be silent.
        """
        ...


class Observer:
    """Asks flows and names from inside the pods."""

    def __init__(self, prober: Prober, addresses: Addresses) -> None:
        self._prober = prober
        self._planner = Planner(addresses)

    def resolv_conf(self, pod: PodRef) -> ResolvConf:
        """The pod's resolver configuration, as its prober reads it."""
        return self._resolvers([pod])[pod].unwrap()

    def _resolvers(self, pods: Iterable[PodRef]) -> dict[PodRef, Answer[ResolvConf]]:
        found = self._prober.hellos(pods)
        return {
            pod: hello.then(lambda told: ResolvConf.parse(told.resolv_conf))
            for pod, hello in found.items()
        }

    def listen(self, ports: Iterable[PodPort], *, answers: bool = True) -> list[str]:
        """Let each pod's prober answer on its ports where nothing else does, and on no others.

        Ports below 1024 may need a right that probers do not have. Returns the ports on which the
        prober does not listen, each with the reason: the pod's own server listens there, or an
        error. Those ports are probed all the same. A mute listener (`answers` is false) hears, and
        says nothing.

        Raises:
            NoSctpError: a port is one of SCTP, and the kernel of that pod's node has none.
            ProbeError: a prober gave no answer.
        """
        wanted: dict[PodRef, list[Listener]] = {}
        for port in ports:
            six = self._planner.hears_six(port.pod)
            door = Listener(port.protocol.lower(), port.port, answers, six)
            wanted.setdefault(port.pod, []).append(door)
        opened, notes = set(), []
        lacking: NoSctpError | None = None
        for pod, answer in self._prober.listen(wanted).items():
            for door, error in answer.unwrap().items():
                if door.proto == "sctp" and error in NO_SCTP:
                    what = f"the kernel of a pod's node has no SCTP ({error})"
                    lacking = lacking or NoSctpError(what, where=str(pod))
                elif error:
                    notes.append(f"{pod} {door.proto}/{door.port}: {error}")
                else:
                    opened.add(PodPort(pod, door.port, Protocol(door.proto.upper())))
        self._planner.listeners = frozenset(opened)
        if lacking:
            raise lacking
        return notes

    def read(
        self, asks: Iterable[Ask], pace: Pace = JUDGE, *, closing: frozenset[Ask] = frozenset()
    ) -> dict[Ask, Answer[Observation]]:
        """Observe every ask.

        Those in `closing` are attempted all along, for they are about to fall silent. A flow whose
        listener was starved is asked in a new round, as one whose prober was starved is.
        """
        found = self._once(asks, pace, closing)
        for _ in range(ROUNDS_AGAIN):
            void = [
                a for a, seen in found.items() if isinstance(seen.problem, StarvedListenerError)
            ]
            if not void:
                break
            found |= self._once(void, pace, closing)
        return found

    def _once(
        self, asks: Iterable[Ask], pace: Pace, closing: frozenset[Ask]
    ) -> dict[Ask, Answer[Observation]]:
        watched = replace(pace, every=True)
        paces = {ask: watched if ask in closing else pace for ask in asks}
        resolvers = self._resolvers({a.source for a in paces if isinstance(a.target, BY_NAME)})
        planned = {
            ask: Answer.of(partial(self._planner.plans, ask, each, resolvers.get(ask.source)))
            for ask, each in paces.items()
        }
        plans = {
            (ask, family): plan
            for ask, each in planned.items()
            for family, plan in (each.value or {}).items()
        }
        # Names first: an answer comes within milliseconds, and the connection joins all the others.
        named = [way for way in plans if isinstance(way[0].target, NamePort)]
        lookups = self._judged({way: plans.pop(way) for way in named}, pace)
        for way, lookup in lookups.items():
            name = lookup.value
            if name and name.reading.outcome is Outcome.RESOLVED:
                address = name.reading.detail.split(", ")[0]
                plans[way] = self._planner.resolved(way[0], address, pace)
        seen = self._judged(plans, pace)
        for way, lookup in lookups.items():
            connected = seen.get(way)
            found = lookup.value
            seen[way] = (
                connected.then(partial(resolved_first, found)) if connected and found else lookup
            )
        return {
            ask: Answer(problem=each.problem)
            if each.value is None
            else Answer.of(partial(joined, {family: seen[ask, family] for family in each.value}))
            for ask, each in planned.items()
        }

    def matrix(
        self,
        sources: Iterable[PodRef],
        targets: Iterable[Address],
        pace: Pace = JUDGE,
        *,
        only: Collection[Ask] | None = None,
    ) -> Matrix[Cell]:
        """Every source to every target, a cell each; with `only`, just these cells."""
        sources, targets = tuple(sources), tuple(targets)
        asks = asks_of(sources, targets) if only is None else only
        cells = {ask: Cell(seen) for ask, seen in self.read(asks, pace).items()}
        return Matrix(sources, targets, cells)

    def _judged(self, plans: Mapping[Way, Plan], pace: Pace) -> dict[Way, Answer[Observation]]:
        """Put the plans to the cluster in rounds of a bounded size, and judge each."""
        found: dict[Way, Answer[Observation]] = {}
        for part in _parts(plans):
            found |= self._judged_at_once(part, pace)
        return found

    def _judged_at_once(
        self, plans: Mapping[Way, Plan], pace: Pace
    ) -> dict[Way, Answer[Observation]]:
        """Put the plans, and the controls that they need, to the cluster in one round."""
        wanted = {
            (plan.control, family): None for (_, family), plan in plans.items() if plan.control
        }
        loops = {(port, family): Ask(port.pod, port) for port, family in wanted}
        controls = {
            (port, family): plans.get((ask, family)) or self._planner.plans(ask, pace)[family]
            for (port, family), ask in loops.items()
        }
        sent = {id(plan): plan for plan in (*controls.values(), *plans.values())}
        measured = self._round(list(sent.values()), pace)
        own = {end: Answer.of(partial(measured.judged, plan)) for end, plan in controls.items()}
        return {
            way: Answer.of(
                partial(measured.judged, plan, own[plan.control, way[1]] if plan.control else None)
            )
            for way, plan in plans.items()
        }

    def _round(self, plans: Sequence[Plan], pace: Pace) -> _Measured:
        items: dict[PodRef, list[Item]] = {}
        for plan in plans:
            items.setdefault(plan.ask.source, []).extend(plan.items)
        spread = max(0, sum(map(len, items.values())) - AT_ONCE) * SPREAD_SECONDS
        slowed = {pod: spaced(some, spread) for pod, some in items.items()}
        found = self._prober.round(slowed, deadline=pace.deadline + spread)
        answers = {item.id: found[pod] for pod, some in items.items() for item in some}
        measured = _Measured(answers)
        return replace(measured, heard=self._heard(plans, measured))

    def _heard(
        self, plans: Iterable[Plan], measured: _Measured
    ) -> Mapping[PodRef, Answer[Mapping[str, float]]]:
        """What the listeners received of the datagrams that got no answer."""
        silent = {
            plan.control.pod
            for plan in plans
            if plan.control
            and plan.expected.nonce
            and plan.control.protocol is Protocol.UDP
            and measured.is_silent(plan)
        }
        return self._prober.heard(silent) if silent else {}


@dataclass(frozen=True, slots=True)
class _Measured:
    """What came back of a round: the answer of each item's pod, by the item's id."""

    answers: Mapping[str, Answer[Attempts]]
    heard: Mapping[PodRef, Answer[Mapping[str, float]]] = field(default_factory=dict)

    def judged(self, plan: Plan, own: Answer[Observation] | None = None) -> Observation:
        """What a plan showed, given what its target showed to itself.

        Raises:
            ProbeError: there is no verdict.
        """
        if plan.questions:
            return names(plan, {item.id: self._attempts(item) for item in plan.items})
        return connection(plan, self._attempts(plan.items[0]), own=own, late_ms=self._late_ms(plan))

    def is_silent(self, plan: Plan) -> bool:
        """Whether all attempts of a connection were silent."""
        (item,) = plan.items
        answer = self.answers[item.id].value
        return answer is not None and all(a.phase is Phase.TIMEOUT for a in answer[item.id])

    def _attempts(self, item: Item) -> Sequence[Attempt]:
        return self.answers[item.id].unwrap()[item.id]

    def _late_ms(self, plan: Plan) -> float | None:
        if plan.control is None or plan.control.pod not in self.heard:
            return None
        return self.heard[plan.control.pod].unwrap().get(plan.expected.nonce)


def _parts(plans: Mapping[Way, Plan]) -> Iterator[dict[Way, Plan]]:
    """The plans of each round: as many as it holds, with the controls that they need."""
    part: dict[Way, Plan] = {}
    size, controls = 0, set[tuple[PodPort, Family]]()
    for way, plan in plans.items():
        wanted = {(plan.control, way[1])} if plan.control else set()
        cost = len(plan.items) + len(wanted - controls)
        if part and size + cost > ROUND_ITEMS:
            yield part
            part, size, controls = {}, 0, set()
            cost = len(plan.items) + len(wanted)
        part[way] = plan
        size += cost
        controls |= wanted
    if part:
        yield part
