"""Lists of flows, laid over a closed world: which of its flows does a list mean?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from harness.core.compare.ports import PortClass
from harness.core.compare.world import EndClass, Kind
from harness.core.manifests.wanted.wishes import EVERY, Outside, PodsOf, PortWish, Who, Wish
from harness.core.model import External, Network, Pod, Protocol

Mask = int


@dataclass(frozen=True)
class Wishes:
    """Some lists of flows by what they are called (`wanted`, `seen`).

    Each pair of an entry's senders and one of its receivers is a bit of a mask, so that a flow is
    looked up by three of them, however long the lists are.
    """

    lists: Mapping[str, tuple[Wish, ...]]

    @cached_property
    def _atoms(self) -> list[tuple[str, tuple[Who, ...], Who, PortWish]]:
        return [
            (label, wish.sources, who, port)
            for label, wishes in self.lists.items()
            for wish in wishes
            for who, port in wish.targets
        ]

    @cached_property
    def _labels(self) -> dict[str, Mask]:
        found: dict[str, Mask] = defaultdict(int)
        for number, (label, *_) in enumerate(self._atoms):
            found[label] |= 1 << number
        return found

    @cached_property
    def _froms(self) -> _Masks:
        return _Masks((n, who) for n, (_, whos, _, _) in enumerate(self._atoms) for who in whos)

    @cached_property
    def _tos(self) -> _Masks:
        return _Masks((n, who) for n, (_, _, who, _) in enumerate(self._atoms))

    @cached_property
    def _ports(self) -> dict[tuple[int, Protocol, bool], Mask]:
        return {}

    def marks(self, pods: Iterable[str]) -> dict[str, Hashable]:
        """What tells pods apart, by name, though no policy does."""
        return {pod: (self._froms.of_pod(pod), self._tos.of_pod(pod)) for pod in pods}

    @property
    def networks(self) -> tuple[Network, ...]:
        """The networks outside that the lists tell apart."""
        return tuple(dict.fromkeys([*self._froms.networks, *self._tos.networks]))

    @property
    def names(self) -> tuple[str, ...]:
        """The names outside that the lists name."""
        return tuple(dict.fromkeys([*self._froms.names, *self._tos.names]))

    @property
    def ports(self) -> tuple[tuple[int, int, Protocol], ...]:
        """The ports that the lists name: the first, the last, and the protocol."""
        found = (port for *_, port in self._atoms)
        return tuple(
            {
                (p.number, p.last or p.number, p.protocol): None
                for p in found
                if p.number and p.protocol
            }
        )

    def of(self, source: EndClass, target: EndClass, port: PortClass) -> tuple[str, ...]:
        """The names of the lists that mean these flows."""
        found = self._froms.of(source) & self._tos.of(target)
        found = found and found & self._port(port)
        return tuple(label for label, mask in self._labels.items() if found & mask) if found else ()

    def wants(self, source: EndClass, target: EndClass, port: PortClass) -> bool:
        """Whether some list means these flows."""
        found = self._froms.of(source) & self._tos.of(target)
        return bool(found and found & self._port(port))

    def _port(self, port: PortClass) -> Mask:
        key = port.number, port.protocol, port.rest
        if key not in self._ports:
            self._ports[key] = sum(
                1 << number
                for number, (*_, wish) in enumerate(self._atoms)
                if wish.protocol in (None, port.protocol) and _has(wish, port)
            )
        return self._ports[key]


def _has(wish: PortWish, port: PortClass) -> bool:
    if wish.number is None:
        return True
    return not port.rest and wish.number <= port.number and port.last <= (wish.last or wish.number)


class _Masks:
    """Which entries mean an end."""

    def __init__(self, entries: Iterable[tuple[int, Who]]) -> None:
        self._by_pod: dict[tuple[str, str], Mask] = defaultdict(int)
        self._by_name: dict[str, Mask] = defaultdict(int)
        self._by_network: dict[Network, Mask] = defaultdict(int)
        self._anywhere: Mask = 0
        self._known: dict[EndClass, Mask] = {}
        for number, who in entries:
            bit = 1 << number
            match who:
                case PodsOf(namespace, name):
                    self._by_pod[namespace, name] |= bit
                case Outside(name="", networks=()):
                    self._anywhere |= bit
                case Outside(name, networks):
                    for network in networks:
                        self._by_network[network] |= bit
                    if name:
                        self._by_name[name] |= bit

    @property
    def networks(self) -> Iterable[Network]:
        return self._by_network

    @property
    def names(self) -> Iterable[str]:
        return self._by_name

    def of_pod(self, pod: str) -> Mask:
        namespace, _, name = pod.partition("/")
        keys = ((namespace, name), (namespace, EVERY), (EVERY, EVERY))
        found = 0
        for key in keys:
            found |= self._by_pod.get(key, 0)
        return found

    def of(self, end: EndClass) -> Mask:
        if end not in self._known:
            self._known[end] = self._worked_out(end)
        return self._known[end]

    def _worked_out(self, end: EndClass) -> Mask:
        shown = next(pair[0] for pair in end.shown if pair is not None)
        if isinstance(shown, Pod):
            return self.of_pod(end.names[0] if end.kind is Kind.POD else str(shown))
        return self._of_outside(end, shown)

    def _of_outside(self, end: EndClass, shown: External) -> Mask:
        found = self._anywhere
        if not end.networks:
            return found | self._by_name.get(shown.name, 0)
        for network, mask in self._by_network.items():
            if shown.ip in network:
                found |= mask
        return found
