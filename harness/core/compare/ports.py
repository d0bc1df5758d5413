"""Ports in as few classes as the rules of policies tell apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from harness.core.model import ContainerPort, PortRule, Protocol

MAX_PORT = 65_535
TRANSPORTS = (Protocol.TCP, Protocol.UDP, Protocol.SCTP)
OTHERS = {protocol: f"any other {protocol} port" for protocol in TRANSPORTS}


@dataclass(frozen=True, slots=True)
class PortClass:
    """A port that stands for all ports from `number` to `last`, or for all others of a protocol.

    `declared`: a receiver says that it listens there. `rest`: it stands for every port that neither
    a rule nor a receiver names.
    """

    number: int
    protocol: Protocol
    last: int
    declared: bool = False
    rest: bool = False

    def __str__(self) -> str:
        if self.rest:
            return OTHERS[self.protocol]
        return f"{self.protocol} {self.number}{f'-{self.last}' if self.last > self.number else ''}"


class Ports:
    """The ports that rules and other `named` ones tell apart."""

    def __init__(
        self, rules: Iterable[PortRule], named: Iterable[tuple[int, int, Protocol]]
    ) -> None:
        spans: dict[Protocol, set[tuple[int, int]]] = defaultdict(set)
        for rule in rules:
            if isinstance(rule.port, int):
                for protocol in TRANSPORTS if rule.protocol is None else (rule.protocol,):
                    spans[protocol].add((rule.port, rule.end_port or rule.port))
        for first, last, protocol in named:
            spans[protocol].add((first, last))
        self._spans = {protocol: sorted(found) for protocol, found in spans.items()}
        self._of = cache(self._worked_out)

    def of(self, declared: Iterable[ContainerPort]) -> tuple[PortClass, ...]:
        """The classes of a receiver that declares these ports; the declared ones come first."""
        return self._of(frozenset((port.number, port.protocol) for port in declared))

    def _worked_out(self, declared: frozenset[tuple[int, Protocol]]) -> tuple[PortClass, ...]:
        found = [
            PortClass(number, protocol, number, declared=True)
            for number, protocol in sorted(declared, key=lambda port: (port[1], port[0]))
        ]
        for protocol in TRANSPORTS:
            mine = {number for number, other in declared if other is protocol}
            found += self._named(protocol, mine)
            if (free := self._free(protocol, mine)) is not None:
                found.append(PortClass(free, protocol, free, rest=True))
        return tuple(found)

    def _named(self, protocol: Protocol, declared: set[int]) -> Iterator[PortClass]:
        """The parts of the rules' ranges between any two cuts, but for declared ports."""
        spans = self._spans.get(protocol, [])
        cuts = {first for first, _ in spans} | {last + 1 for _, last in spans}
        cuts |= declared | {number + 1 for number in declared}
        # A port is in some range if one of those that begin before it ends behind it: a file may
        # have thousands of ranges, so that they are gone through once.
        reach, begun = 0, 0
        for first, after in pairwise(sorted(cuts)):
            while begun < len(spans) and spans[begun][0] <= first:
                reach = max(reach, spans[begun][1])
                begun += 1
            if first not in declared and first <= reach:
                yield PortClass(first, protocol, after - 1)

    def _free(self, protocol: Protocol, declared: set[int]) -> int | None:
        """A port that nobody names; None if rules name all."""
        number = 1
        for first, last in sorted([*self._spans.get(protocol, []), *((n, n) for n in declared)]):
            if number < first:
                break
            number = max(number, last + 1)
        return number if number <= MAX_PORT else None


def ports_words(ports: Iterable[PortClass], all_ports: Iterable[PortClass]) -> str:
    """Some of a receiver's ports in words, the shortest that are true."""
    chosen, known = list(ports), list(all_ports)
    if set(chosen) >= set(known) and any(port.rest for port in known):
        return "every port"
    rest = [port for port in chosen if port.rest]
    told = [str(port) for port in chosen if not port.rest]
    missing = [port for port in known if port not in chosen]
    if rest and len(rest) == len([port for port in known if port.rest]):
        return f"every port but {', '.join(map(str, missing))}"
    return ", ".join([*told, *map(str, rest)])
