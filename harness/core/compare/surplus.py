"""What policies allow beyond the wanted flows, in few bundles, and the list that they amount to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from harness.core.compare.bundles import Bundle, bundles
from harness.core.compare.ports import MAX_PORT, TRANSPORTS, PortClass
from harness.core.compare.wishes import Wishes
from harness.core.compare.world import ClosedWorld, EndClass, Kind, State, closed_world
from harness.core.lab.profile import CniProfile
from harness.core.model import Direction, NetworkPolicy, Protocol
from harness.core.outcome import Verdict
from harness.core.policy.privilege import Unused, unused_parts
from harness.core.target.ask import Flow

SHOWN = 20
"""Senders of a bundle that are asked for the rules that let them pass."""


class Excess(StrEnum):
    """How flows and the list differ.

    LET: nobody wants them, and rules let them pass. OPEN: nobody wants them, and no policy isolates
    either end. DOUBT: nobody wants them, and nobody can say that they do not pass. MISSING: they
    are wanted and do not pass. PART: they are wanted, and only some requests pass. UNKNOWN: they
    are wanted, and nobody can say that they pass. LOST: they are wanted and pass by the API, and a
    CNI does otherwise. LEAK: nobody wants them and they do not pass by the API, and a CNI does
    otherwise.
    """

    LET = "let"
    OPEN = "open"
    DOUBT = "doubt"
    MISSING = "missing"
    PART = "part"
    UNKNOWN = "unknown"
    LOST = "lost"
    LEAK = "leak"


class _Tag(NamedTuple):
    """What flows of one bundle have in common."""

    excess: Excess
    own: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """Flows that differ from the list in one way, and the policies that decide about them.

    `rules` are the rules that let the flows pass (policy, direction, number from 1); `reasons` say
    why the first of the flows does not pass, where it should. `own` has the answers of CNIs that
    are not the API's, by the CNI's name and in words.
    """

    excess: Excess
    flows: Bundle[_Tag]
    rules: tuple[tuple[NetworkPolicy, Direction, int], ...] = ()
    reasons: tuple[str, ...] = ()
    own: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Surplus:
    """All findings, the parts of rules that no wanted flow needs, and the number of policies."""

    findings: tuple[Finding, ...]
    unused: tuple[Unused, ...]
    policies: int

    def of(self, excess: Excess) -> tuple[Finding, ...]:
        """The findings of one kind."""
        return tuple(finding for finding in self.findings if finding.excess is excess)


def world_of(state: State, wanted: Wishes, profiles: Iterable[CniProfile] = ()) -> ClosedWorld:
    """The closed world of a state and a list: pods that were read, and what is outside."""
    return closed_world(
        [state],
        strangers=False,
        networks=wanted.networks,
        names=wanted.names,
        ports=wanted.ports,
        marks=wanted.marks(state.topology.pods),
        profiles=profiles,
    )


def surplus_of(state: State, wanted: Wishes, profiles: Iterable[CniProfile] = ()) -> Surplus:
    """Measure the policies of a state by a list of wanted flows.

    `profiles` are the CNIs whose own answers are wanted as well.
    """
    world = world_of(state, wanted, profiles)
    isolated = {
        (end, direction): world.isolated(0, end, direction)
        for end in world.ends
        for direction in Direction
    }
    listed: list[Flow] = []

    def judge(source: EndClass, target: EndClass, port: PortClass) -> _Tag | None:
        flow = world.flow(0, source, target, port)
        answer = world.answer(0, source, target, port)
        if flow is None or answer is None:
            return None
        wants = wanted.wants(source, target, port)
        if wants and not (source is target and target.alone):
            listed.append(flow)
        if wants:
            excess = _WANTED.get(str(answer.verdict))
        elif answer.verdict in _UNWANTED:
            excess = _UNWANTED[answer.verdict]
        else:
            held = isolated[source, Direction.EGRESS] or isolated[target, Direction.INGRESS]
            excess = Excess.LET if held else Excess.OPEN
        if excess is None and answer.own:
            excess = Excess.LOST if wants else Excess.LEAK
        return None if excess is None else _Tag(excess, answer.own)

    found = tuple(_finding(world, bundle) for bundle in bundles(world, judge))
    unused = unused_parts(world.oracles[0].topology, state.policies, listed)
    return Surplus(found, tuple(unused), len(set(state.policies)))


_UNWANTED = {Verdict.DENY: None, Verdict.UNDEFINED: Excess.DOUBT}
_WANTED = {"deny": Excess.MISSING, "some": Excess.PART, "undefined": Excess.UNKNOWN}


def _finding(world: ClosedWorld, bundle: Bundle[_Tag]) -> Finding:
    excess, own = bundle.tag
    match excess:
        case Excess.LET:
            return Finding(excess, bundle, tuple(_rules(world, bundle)), own=own)
        case Excess.MISSING | Excess.UNKNOWN | Excess.PART:
            flow = world.flow(0, *bundle.first)
            reasons = world.oracles[0].decide(flow).reasons if flow else ()
            return Finding(excess, bundle, reasons=reasons, own=own)
    return Finding(excess, bundle, own=own)


def _rules(
    world: ClosedWorld, bundle: Bundle[_Tag]
) -> dict[tuple[NetworkPolicy, Direction, int], None]:
    found: dict[tuple[NetworkPolicy, Direction, int], None] = {}
    for source in bundle.sources[:SHOWN]:
        flow = world.flow(0, source, bundle.targets[0], bundle.ports[0])
        if flow is not None:
            decision = world.oracles[0].decide(flow)
            for side in (decision.ingress, decision.egress):
                for policy, number in side.allowed_by:
                    found[policy, side.direction, number] = None
    return found


def proposal(
    state: State, among: Callable[[EndClass, EndClass], bool] | None = None
) -> Iterator[tuple[list[str], list[str]]]:
    """The flows that pass, as entries of a list of wanted flows: the texts of `from` and `to`.

    `among` chooses the senders and receivers that are asked about; None: all.

    Whoever reads the list back, for the same state, finds nothing unwanted and nothing missing.
    """
    world = world_of(state, Wishes({}))

    def passes(source: EndClass, target: EndClass, port: PortClass) -> bool | None:
        if among is not None and not among(source, target):
            return None
        verdict = world.verdict(0, source, target, port)
        return True if verdict not in (None, Verdict.DENY, Verdict.UNDEFINED) else None

    texts = _Texts(world)
    for bundle in bundles(world, passes):
        ports = list(_port_texts(bundle.ports, bundle.all_ports))
        yield (
            [text for _, text in texts.of(bundle.sources)],
            [
                f"{kind}{text}:{port}"
                for kind, text in texts.of(bundle.targets, asked=True)
                for port in ports
            ],
        )


class _Texts:
    """Ends as a list of flows writes them, with `*` where that means nobody else."""

    def __init__(self, world: ClosedWorld) -> None:
        self._all = {name for end in world.ends if end.kind is Kind.POD for name in end.names}
        self._outside = [end for end in world.ends if end.kind is Kind.OUTSIDE]
        self._asking = {
            name for end in world.ends if end.kind is Kind.POD and end.asks for name in end.names
        }

    def of(self, ends: Sequence[EndClass], *, asked: bool = False) -> Iterator[tuple[str, str]]:
        """The kind of target that a receiver's text begins with, and the text without it."""
        names = {name for end in ends if end.kind is Kind.POD for name in end.names}
        yield from (("pod/", text) for text in self._pods(names, asked=asked))
        outside = [end for end in ends if end.kind is Kind.OUTSIDE]
        if outside and len(outside) == len(self._outside):
            yield ("net/", "*") if asked else ("", "net/*")
            return
        for end in outside:
            for text in [str(net) for net in end.networks] or end.names:
                shown = f"[{text}]" if asked and ":" in text else text
                yield ("net/", shown) if asked else ("", f"net/{shown}")

    def _pods(self, names: set[str], *, asked: bool) -> Iterator[str]:
        known = self._all if asked else self._asking
        if names and names == known:
            yield "*/*"
            return
        spaces: dict[str, set[str]] = defaultdict(set)
        for name in known:
            spaces[name.partition("/")[0]].add(name)
        for space, all_names in sorted(spaces.items()):
            mine = names & all_names
            if mine == all_names and len(mine) > 1:
                yield f"{space}/*"
            else:
                yield from sorted(mine)


def _port_texts(ports: Iterable[PortClass], all_ports: Iterable[PortClass]) -> Iterator[str]:
    chosen, known = set(ports), list(all_ports)
    if chosen >= set(known) and sum(port.rest for port in known) == len(TRANSPORTS):
        yield "*"
        return
    for protocol in TRANSPORTS:
        mine = [port for port in chosen if port.protocol is protocol]
        suffix = "" if protocol is Protocol.TCP else f"/{protocol.lower()}"
        for first, last in _spans(mine, [port for port in known if port.protocol is protocol]):
            yield f"{first}{suffix}" if first == last else f"{first}-{last}{suffix}"


def _spans(ports: Sequence[PortClass], known: Sequence[PortClass]) -> Iterator[tuple[int, int]]:
    """The chosen ports of one protocol as ranges; the rest is all that is not named."""
    spans = sorted((port.number, port.last) for port in ports if not port.rest)
    if any(port.rest for port in ports):
        named = sorted((port.number, port.last) for port in known if not port.rest)
        start = 1
        for first, last in [*named, (MAX_PORT + 1, MAX_PORT + 1)]:
            if start < first:
                spans.append((start, first - 1))
            start = max(start, last + 1)
    joined: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        if joined and joined[-1][1] + 1 >= first:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    return iter(joined)
