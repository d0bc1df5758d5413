"""What an assignment wants of the pods that students get, as far as they may see it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness.core.grading.judge import Judge
from harness.core.grading.model import Submission, Want
from harness.core.grading.world import World
from harness.core.predict.surroundings import NAME_SERVERS


@dataclass(frozen=True, slots=True)
class WantedFlow:
    """A flow between ends that students know, and what it must be."""

    source: str
    target: str
    port: str
    want: Want


def wanted_flows(world: World, judge: Judge) -> Iterator[WantedFlow]:
    """Every flow of deployed pods to the ports that shown rows open; hidden rows are left out."""
    known = {*world.deployed, *_name_servers(world)}
    heard = [
        flow
        for flow in judge.hear(world, Submission("nobody"))
        if _known(flow.source, known) and _known(flow.target, known)
    ]
    asked = {
        (flow.target, flow.port, flow.protocol)
        for flow in heard
        if flow.row.want is Want.OPEN and not flow.row.hidden and flow.row.targets
    }
    for flow in heard:
        if (flow.target, flow.port, flow.protocol) in asked and not flow.row.hidden:
            port = f"{flow.protocol} {flow.port}"
            yield WantedFlow(flow.source, flow.target, port, flow.row.want)


def _known(name: str, known: set[str]) -> bool:
    """Whether it is a pod that students get, or a name outside: addresses stand for all others."""
    return name in known or (name.startswith("net/") and not name[4:5].isdigit())


def _name_servers(world: World) -> list[str]:
    service = world.topology.services[NAME_SERVERS]
    return [str(pod) for pod in world.topology.behind(service)]
