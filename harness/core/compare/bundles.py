"""Flows of a closed world that fare alike, in as few bundles as they need."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from harness.core.compare.ports import PortClass
from harness.core.compare.world import ClosedWorld, EndClass

Tag = TypeVar("Tag", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Bundle(Generic[Tag]):
    """Every source to every target, on these of the targets' `all_ports`: all have the tag."""

    sources: tuple[EndClass, ...]
    targets: tuple[EndClass, ...]
    ports: tuple[PortClass, ...]
    all_ports: tuple[PortClass, ...]
    tag: Tag

    @property
    def first(self) -> tuple[EndClass, EndClass, PortClass]:
        """A flow of the bundle that is not a pod's to itself, where there is one."""
        source, target = self.sources[0], self.targets[0]
        if source is target and len(self.sources) > 1:
            source = self.sources[1]
        return source, target, self.ports[0]


def bundles(
    world: ClosedWorld, judge: Callable[[EndClass, EndClass, PortClass], Tag | None]
) -> tuple[Bundle[Tag], ...]:
    """The flows to which `judge` gives a tag, together where sources, ports and tags are equal.

    A pod's flow to itself is no flow; it only rounds off a bundle that has other sources too.
    """
    merged: dict[
        tuple[tuple[EndClass, ...], tuple[PortClass, ...], tuple[PortClass, ...], Tag],
        list[EndClass],
    ] = defaultdict(list)
    for target in world.ends:
        every = world.ports(target)
        tagged: dict[tuple[PortClass, Tag], list[EndClass]] = defaultdict(list)
        for source in world.ends:
            if source.asks:
                for port in every:
                    tag = judge(source, target, port)
                    if tag is not None:
                        tagged[port, tag].append(source)
        alike: dict[tuple[tuple[EndClass, ...], Tag], list[PortClass]] = defaultdict(list)
        for (port, tag), sources in tagged.items():
            if sources != [target] or not target.alone:
                alike[tuple(sources), tag].append(port)
        for (froms, tag), ports in alike.items():
            merged[froms, tuple(ports), every, tag].append(target)
    return tuple(
        Bundle(sources, tuple(targets), ports, every, tag)
        for (sources, ports, every, tag), targets in merged.items()
    )
