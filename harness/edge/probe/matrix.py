"""Who reaches whom on a live cluster: every source to every port, in one round of all pods.

A round costs one deadline where something is silent, and milliseconds where all is answered,
however many pods there are. The pods' own flows to themselves are in it, as controls.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from harness.core.model import Pod, Protocol
from harness.core.observation import Answer, Phase
from harness.core.outcome import Outcome
from harness.core.policy.reachability import Key, Matrix, Port
from harness.core.probe.attempts import Attempts, Item
from harness.core.probe.cells import Cell, Wanted, cell_of, judged
from harness.core.probe.greeting import greeting
from harness.core.probe.interpret import JUDGE, Pace
from harness.core.target import PodRef
from harness.edge.probe.prober import Prober
from harness.edge.probe.wire import Listener
from harness.errors import ProbeError

PROBED = frozenset({Protocol.TCP, Protocol.UDP})
ROUND_CELLS = 4000
"""Flows of one round: sockets that a machine of two cores opens without starving its probers."""

AT_ONCE, SPREAD_SECONDS = 1000, 0.0003
"""Flows that begin together, and the seconds by which each further one stretches the beginning.

All at once they would starve each other on two cores, and be void.
"""

MAX_LATE_MS = 100.0
"""A listener that took a datagram this late may have answered too late: that is no lost answer."""

HTTP = 80
HEAD = b"HEAD / HTTP/1.0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class _Flow:
    """One cell to be, with the item that asks for it."""

    key: Key
    source: PodRef
    target: Port
    item: Item
    wanted: Wanted


class MatrixProber:
    """Matrices of pods that have a prober each. `doors` are the ports where ours answer."""

    def __init__(self, prober: Prober) -> None:
        self._prober = prober
        self._doors: frozenset[tuple[PodRef, int, Protocol]] = frozenset()
        self._token = secrets.token_hex(4)
        self._count = 0

    def listen(self, ports: Iterable[Port], *, answers: bool = True) -> list[str]:
        """Let each pod's prober answer on its ports where nothing else does.

        Ports below 1024 may need a right that probers do not have. Returns what was left out: where
        the pod's own server listens, or an error; those ports are probed all the same. A mute
        listener (`answers` is false) hears, and says nothing.
        """
        wanted: dict[PodRef, list[Listener]] = {}
        for port in ports:
            wanted.setdefault(_ref(port), []).append(
                Listener(port.protocol.lower(), port.port, answers)
            )
        doors, notes = set(), []
        for pod, opened in self._prober.listen(wanted).items():
            for door, error in opened.unwrap().items():
                if error:
                    notes.append(f"{pod} {door.proto}/{door.port}: {error}")
                else:
                    doors.add((pod, door.port, Protocol(door.proto.upper())))
        self._doors = frozenset(doors)
        return notes

    def observe(
        self,
        sources: Sequence[Pod],
        targets: Sequence[Port],
        pace: Pace = JUDGE,
        *,
        only: Collection[Key] | None = None,
    ) -> Matrix[Cell]:
        """Every source to every port, and every port's pod to itself; one cell each.

        With `only`, just these cells. A pod whose prober broke has no verdict in its row.
        """
        flows = self._flows(sources, targets, pace, only)
        cells: dict[Key, Cell] = {}
        controls: dict[str, Cell] = {}
        for batch in _batches(flows):
            for flow, cell in self._round(batch, pace):
                cells[flow.key] = cell
                if flow.source == _ref(flow.target):
                    controls[str(flow.target)] = cell
        rows = tuple(map(str, sources))
        asked = {
            (source, str(target)): judged(cells[source, str(target)], controls[str(target)])
            for source in rows
            for target in targets
            if only is None or (source, str(target)) in only
        }
        return Matrix(rows, tuple(map(str, targets)), asked)

    def _flows(
        self,
        sources: Sequence[Pod],
        targets: Sequence[Port],
        pace: Pace,
        only: Collection[Key] | None,
    ) -> list[_Flow]:
        reached = None if only is None else {target for _, target in only}
        asked = [target for target in targets if reached is None or str(target) in reached]
        # Controls first: in a matrix of several rounds they are there when a cell needs them.
        pairs = {(str(target.end), str(target)): (_ref(target), target) for target in asked}
        for source in sources:
            ref = PodRef(source.namespace, source.name)
            for target in asked:
                key = (str(ref), str(target))
                if only is None or key in only:
                    pairs[key] = (ref, target)
        return [self._flow(source, target, pace) for source, target in pairs.values()]

    def _flow(self, source: PodRef, target: Port, pace: Pace) -> _Flow:
        self._count += 1
        nonce = f"{self._token}-{self._count}"
        ours = (_ref(target), target.port, target.protocol) in self._doors
        proto = target.protocol.lower()
        payload, want = b"", "none"
        if ours or proto == "udp":
            payload, want = greeting(nonce), "bytes"
        elif target.port == HTTP:
            payload, want = HEAD, "bytes"
        address = str(target.end.ip)
        item = Item(
            str(self._count),
            proto,
            address,
            target.port,
            payload,
            want,
            pace.offsets,
            first=pace.latest,
        )
        name = str(target.end) if ours else target.end.name
        wanted = Wanted(pace.needed, nonce if ours else "", name)
        return _Flow((str(source), str(target)), source, target, item, wanted)

    def _round(self, flows: Sequence[_Flow], pace: Pace) -> list[tuple[_Flow, Cell]]:
        items: dict[PodRef, list[Item]] = {}
        for flow in flows:
            items.setdefault(flow.source, []).append(flow.item)
        spread = max(0, len(flows) - AT_ONCE) * SPREAD_SECONDS
        spaced = {source: _spaced(batch, spread) for source, batch in items.items()}
        answers = self._prober.round(spaced, deadline=pace.deadline + spread)
        heard = self._heard(flows, answers)
        return [(flow, self._cell(flow, answers[flow.source], heard, pace)) for flow in flows]

    def _heard(
        self,
        flows: Sequence[_Flow],
        answers: Mapping[PodRef, Answer[Attempts]],
    ) -> Mapping[PodRef, Answer[Mapping[str, float]]]:
        """What the listeners heard of flows that got no answer."""
        asked = set()
        for flow in flows:
            attempts = answers[flow.source].value
            silent = attempts is not None and all(
                attempt.phase is Phase.TIMEOUT for attempt in attempts[flow.item.id]
            )
            if flow.wanted.nonce and flow.item.protocol == "udp" and silent:
                asked.add(_ref(flow.target))
        return self._prober.heard(asked) if asked else {}

    def _cell(
        self,
        flow: _Flow,
        answer: Answer[Attempts],
        heard: Mapping[PodRef, Answer[Mapping[str, float]]],
        pace: Pace,
    ) -> Cell:
        try:
            made = answer.unwrap()[flow.item.id]
            receiver = heard[_ref(flow.target)].unwrap() if _ref(flow.target) in heard else {}
        except ProbeError as error:
            return Cell(Outcome.UNSTABLE, problem=f"{error.what} ({error.seen})")
        late = receiver.get(flow.wanted.nonce)
        where = f"{flow.key[0]} -> {flow.key[1]}"
        attempts = pace.counted(made)
        cell = cell_of(attempts, flow.wanted, heard=late is not None, where=where)
        if cell.outcome is Outcome.ONE_WAY and late is not None and late > MAX_LATE_MS:
            problem = f"it was heard, but the listener was starved and {late:.0f} ms late"
            return Cell(Outcome.UNSTABLE, problem=problem)
        return cell


def _ref(target: Port) -> PodRef:
    assert isinstance(target.end, Pod)  # noqa: S101 - a matrix of pods
    return PodRef(target.end.namespace, target.end.name)


def _spaced(items: Sequence[Item], spread: float) -> list[Item]:
    """The items begun one after the other over so many seconds; each keeps its patience."""
    step = spread / len(items)
    return [
        replace(item, offsets=[offset + number * step for offset in item.offsets])
        for number, item in enumerate(items)
    ]


def _batches(flows: Sequence[_Flow]) -> Iterable[list[_Flow]]:
    rest = iter(flows)
    while batch := list(islice(rest, ROUND_CELLS)):
        yield batch
