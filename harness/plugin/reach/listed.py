"""A matrix as a list of wanted flows: exactly these flows pass between some pods.

The list is the one of `policylab privilege --wanted` (`harness.core.manifests.wanted`). A name in
it may be that of a workload as well, and stands for its pods.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.commands.shared.lists import text_of
from harness.core.manifests.text.reading import read
from harness.core.manifests.wanted.flows import parse_wanted
from harness.core.model import External, Pod, Service, Topology
from harness.core.target import PodPort, PodRef, ports_of
from harness.core.target.ask import Ask, Flow
from harness.errors import ContentError
from harness.listing import few
from harness.plugin.reach.naming import Pods
from harness.plugin.reach.saying import SHOWN, State

_SPACE = re.compile(r"(?<![\w.*/-])(?:pod/)?(?!(?:net|pod|dns)/)([a-z0-9*][-a-z0-9]*)/")
"""A namespace before the name of a pod; the text is read in full later, by its own grammar."""

_OUTSIDE = (
    "add its namespace: matrix(..., namespaces=[...]); a flow to or from the outside, or to the "
    "name servers, is a sentence of its own: .to('net/ADDRESS:PORT'), .resolves(NAME)"
)


@dataclass(frozen=True, slots=True)
class Listed:
    """The flows between some pods, and which of them are wanted.

    Attributes:
        asks: every pod to every port of every other pod: the ports that pods declare, those to
            which a Service leads, and those that the list names.
        wanted: the flows that the list has.
    """

    asks: tuple[tuple[Ask, PodPort], ...]
    wanted: frozenset[Ask]

    def hoped(self, ask: Ask) -> State:
        """How the list wants a flow."""
        return State.OPEN if ask in self.wanted else State.BLOCKED

    @classmethod
    def read(
        cls, file: Path, topology: Topology, pods: Pods, namespaces: Collection[str]
    ) -> Listed:
        """Read a list; without `namespaces` it is about the pods of those that it names.

        Raises:
            ContentError: the file cannot be read, or an end is none of these pods.
            ManifestError: it is no such list, or names an end that is not there.
        """
        origin, text = str(file), text_of(file)
        spaces = spaces_of(namespaces) or spaces_named(text, origin)
        flows = parse_wanted(text, _with_workloads(topology, pods), origin=origin)
        there = [pod for pod in topology.pods.values() if pod.namespace in spaces]
        if not there:
            raise ContentError("the matrix has no pods", where=origin, try_="namespaces=[...]")
        if empty := sorted(spaces - {pod.namespace for pod in there}):
            homes = sorted({pod.namespace for pod in topology.pods.values()})
            raise ContentError(
                f"the matrix has no pods in {', '.join(empty)}",
                where=origin,
                seen=f"pods are in {', '.join(homes)}",
                try_="correct the name, or leave it out",
            )
        wanted = frozenset(_asks(flows, {pod.ref for pod in there}, pods, origin))
        asks = tuple(_pairs(there, wanted, topology.services.values()))
        if not asks:
            raise ContentError(
                "the matrix has nothing to compare: no pod declares a port that another pod could "
                "reach",
                where=origin,
                seen=f"pods: {few(there, SHOWN)}",
                try_="declare ports (containerPort), or list flows that are wanted",
            )
        return cls(asks, wanted)


def spaces_of(namespaces: Collection[str]) -> frozenset[str]:
    """The namespaces that a test names; one of them may be named without a list."""
    return frozenset([namespaces] if isinstance(namespaces, str) else namespaces)


def spaces_named(text: str, origin: str) -> frozenset[str]:
    """The namespaces that a list names.

    Raises:
        ContentError: it means every namespace, so the caller has to name them.
        ManifestError: it cannot be read.
    """
    spaces = frozenset(space for end in _texts(text, origin) for space in _SPACE.findall(end))
    if "*" in spaces:
        raise ContentError(
            "the list means every namespace, and a matrix is about some",
            where=origin,
            try_="matrix(..., namespaces=[...])",
        )
    return spaces


def _texts(text: str, origin: str) -> Iterator[str]:
    """What a list says, without its comments; `parse_wanted` says later whether it is a list."""
    inside = [document.value for document in read(text, origin=origin)]
    while inside:
        match inside.pop():
            case str() as found:
                yield found
            case list() as found:
                inside += found
            case dict() as found:
                inside += found.values()


def _with_workloads(topology: Topology, pods: Pods) -> Topology:
    """The topology with one more pod for each workload, of its name."""
    found = {
        name: replace(topology.pods[str(refs[0])], name=name.partition("/")[2])
        for name, refs in pods.workloads.items()
        if refs and name not in topology.pods and str(refs[0]) in topology.pods
    }
    return replace(topology, pods={**topology.pods, **found})


def _asks(flows: Iterable[Flow], there: set[PodRef], pods: Pods, origin: str) -> Iterator[Ask]:
    for flow in flows:
        where = f"{origin}: {flow}"
        sources = _ends(flow.source, there, pods, where)
        for target in _ends(flow.target, there, pods, where):
            for source in sources:
                if source != target:
                    yield Ask(source, PodPort(target, flow.port, flow.protocol))


def _ends(end: Pod | External, there: set[PodRef], pods: Pods, where: str) -> Sequence[PodRef]:
    refs = pods.called(end.ref, where=where) if isinstance(end, Pod) else ()
    if not refs or not there.issuperset(refs):
        raise ContentError(f"{end} is none of the pods of this matrix", where=where, try_=_OUTSIDE)
    return refs


def _pairs(
    pods: Sequence[Pod], wanted: Iterable[Ask], services: Iterable[Service]
) -> Iterator[tuple[Ask, PodPort]]:
    ports = [port for pod in pods for port in ports_of(pod)]
    ports += [port for one in services for pod in pods for port in _served(one, pod)]
    ports += [ask.target for ask in wanted if isinstance(ask.target, PodPort)]
    for pod in pods:
        for port in dict.fromkeys(ports):
            if port.pod != pod.ref:
                yield Ask(pod.ref, port), port


def _served(service: Service, pod: Pod) -> Iterator[PodPort]:
    """The ports of a pod to which a Service leads; a pod need not declare them."""
    if not service.selects(pod):
        return
    for entry in service.ports:
        if number := entry.at(pod):
            yield PodPort(pod.ref, number, entry.protocol)
