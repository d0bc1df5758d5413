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
from harness.core.manifests.wanted.flows import parse_wanted
from harness.core.model import External, Pod, Topology
from harness.core.target import PodPort, PodRef, ports_of
from harness.core.target.ask import Ask, Flow
from harness.errors import ContentError
from harness.plugin.reach.naming import Pods
from harness.plugin.reach.saying import State

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
        asks: every pod to every port of every other pod: the ports that pods declare, and those
            that the list names.
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
        spaces = frozenset(namespaces) or spaces_named(text, origin)
        flows = parse_wanted(text, _with_workloads(topology, pods), origin=origin)
        there = [pod for pod in topology.pods.values() if pod.namespace in spaces]
        if not there:
            raise ContentError("the matrix has no pods", where=origin, try_="namespaces=[...]")
        wanted = frozenset(_asks(flows, {pod.ref for pod in there}, pods, origin))
        return cls(tuple(_pairs(there, wanted)), wanted)


def spaces_named(text: str, origin: str) -> frozenset[str]:
    """The namespaces that a list names.

    Raises:
        ContentError: it means every namespace, so the caller has to name them.
    """
    spaces = frozenset(_SPACE.findall(text))
    if "*" in spaces:
        raise ContentError(
            "the list means every namespace, and a matrix is about some",
            where=origin,
            try_="matrix(..., namespaces=[...])",
        )
    return spaces


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


def _pairs(pods: Sequence[Pod], wanted: Iterable[Ask]) -> Iterator[tuple[Ask, PodPort]]:
    ports = [port for pod in pods for port in ports_of(pod)]
    ports += [ask.target for ask in wanted if isinstance(ask.target, PodPort)]
    for pod in pods:
        for port in dict.fromkeys(ports):
            if port.pod != pod.ref:
                yield Ask(pod.ref, port), port
