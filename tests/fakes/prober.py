"""Probers in the pods of a fake cluster: rounds by the cluster's clock, without a socket."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from harness.core.dns.podconf import KUBEADM_SERVERS
from harness.core.dns.question import query_plan
from harness.core.observation import Answer, Attempt, Phase
from harness.core.probe.attempts import DEADLINE, Attempts, Item
from harness.core.probe.container import CONTAINER
from harness.core.target import PodRef
from harness.core.target.family import IPV4, Families
from harness.edge.api.livenames import LiveNames
from harness.edge.probe.wire import Hello, Listener
from harness.errors import ProbeError
from tests.fakes.packet import Met, Packet, PodKey

if TYPE_CHECKING:
    from tests.fakes.cluster import FakeCluster

SYN_AGAIN = 1.0
"""Seconds after which a SYN is sent once more (RFC 6298). Linux takes 3 s for an INIT of SCTP."""
NO_SCTP = "EPROTONOSUPPORT"
QUESTION_MS = 0.3
ROUND_SECONDS = 0.02
"""What the shortest round takes, until all of its answers are read."""


class FakeProber:
    """The probers of one fake cluster, each there while its pod has the ephemeral container.

    With `on_nodes`, they are on the nodes, and enter any pod.
    """

    def __init__(self, cluster: FakeCluster, *, on_nodes: bool = False) -> None:
        self._cluster = cluster
        self._on_nodes = on_nodes
        self.names = LiveNames()

    def close(self) -> None:
        return

    def forget(self, pods: Iterable[PodRef]) -> None:
        return

    def hellos(self, pods: Iterable[PodRef]) -> Mapping[PodRef, Answer[Hello]]:
        return {pod: Answer.of(partial(self._hello, pod)) for pod in pods}

    def _hello(self, pod: PodRef) -> Hello:
        namespace, name = self._key(pod)
        return Hello(name, resolv_conf(namespace, self._cluster.families))

    def round(
        self, items: Mapping[PodRef, Sequence[Item]], *, deadline: float = DEADLINE
    ) -> Mapping[PodRef, Answer[Attempts]]:
        began = self._cluster.clock.monotonic()
        found: dict[PodRef, Answer[Attempts]] = {}
        took = ROUND_SECONDS
        for pod, batch in items.items():
            try:
                key = self._key(pod)
            except ProbeError as error:
                found[pod] = Answer(problem=error)
                continue
            attempts = {}
            for item in batch:
                attempts[item.id], seconds = self._item(key, item, began, deadline)
                took = max(took, seconds)
            found[pod] = Answer(attempts)
        self._cluster.clock.take(took)
        return found

    def listen(
        self, doors: Mapping[PodRef, Sequence[Listener]]
    ) -> Mapping[PodRef, Answer[Mapping[Listener, str]]]:
        return {pod: Answer(self._listen(pod, wanted)) for pod, wanted in doors.items()}

    def _listen(self, pod: PodRef, wanted: Sequence[Listener]) -> Mapping[Listener, str]:
        key, there = self._key(pod), self._cluster.network.doors
        for old in [old for old in there if old[0] == key]:
            del there[old]
        taken = self._cluster.listening(key)
        errors = {}
        for door in wanted:
            errors[door] = "EADDRINUSE" if (door.proto, door.port) in taken else ""
            if door.proto == "sctp" and not self._cluster.has_sctp(key):
                errors[door] = NO_SCTP
            if not errors[door]:
                there[key, door.proto, door.port] = str(pod) if door.answers else ""
        return errors

    def heard(self, pods: Iterable[PodRef]) -> Mapping[PodRef, Answer[Mapping[str, float]]]:
        return {pod: Answer(self._cluster.network.heard.pop(self._key(pod), {})) for pod in pods}

    def time_lookups(
        self, pod: PodRef, names: Sequence[str], *, repeat: int
    ) -> dict[str, list[float]]:
        namespace, _ = self._key(pod)
        search = search_list(namespace)
        plans = {name: query_plan(name, search=search, ndots=5) for name in names}
        return {name: [len(plan) * QUESTION_MS] * repeat for name, plan in plans.items()}

    def _key(self, pod: PodRef) -> PodKey:
        """The live pod, if its prober answers.

        Raises:
            ProbeError: there is no such pod, or its prober is not there or broken.
        """
        key = (pod.namespace, self.names.of(pod))
        body = self._cluster.objects.get(("Pod", *key))
        problem = self._cluster.lie.broken(key)
        if body is None:
            problem = "there is no such pod"
        elif not self._on_nodes and CONTAINER not in [
            status["name"]
            for kind in ("ephemeralContainerStatuses", "containerStatuses")
            for status in body["status"].get(kind, [])
        ]:
            problem = "there is no prober"
        if problem:
            raise ProbeError(f"the prober in {pod} gave no answer", where=str(pod), seen=problem)
        return key

    def _item(
        self, key: PodKey, item: Item, began: float, deadline: float
    ) -> tuple[list[Attempt], float]:
        """An item's attempts, and how many seconds the round needs for them."""
        made: list[Attempt] = []
        took = 0.0
        ended = deadline
        for offset in self._cluster.lie.attempts(key, item.offsets):
            if offset >= ended:
                break
            attempt = self._attempt(key, item, began, offset, deadline)
            made.append(attempt)
            if attempt.phase is Phase.TIMEOUT:
                took = deadline
                continue
            answered = offset + attempt.ms / 1000
            took = max(took, answered)
            if not item.every:
                ended = answered
                if item.first:
                    made = [_cut(each, answered) for each in made]
                    took = answered
        return made, took

    def _attempt(
        self, key: PodKey, item: Item, began: float, offset: float, deadline: float
    ) -> Attempt:
        port = self._cluster.network.port()
        if item.protocol == "sctp" and not self._cluster.has_sctp(key):
            return Attempt(Phase.ERROR, 0.0, error=NO_SCTP, at=round(offset * 1000, 1))
        again = [SYN_AGAIN] if item.protocol == "tcp" else []
        met, wait = Met(Phase.TIMEOUT), 0.0
        for wait in (0.0, *again):
            at = began + offset + wait
            if offset + wait >= deadline:
                break
            packet = Packet(key, item.protocol, item.address, item.port, item.payload, at)
            met = self._cluster.network.send(packet, port)
            if met.phase is not Phase.TIMEOUT:
                break
        silent = met.phase is Phase.TIMEOUT
        ms = (deadline - offset) * 1000 if silent else wait * 1000 + met.ms
        return Attempt(met.phase, round(ms, 3), met.data, at=round(offset * 1000, 1), port=port)


def _cut(attempt: Attempt, moment: float) -> Attempt:
    """An attempt that an answer to a later one ended."""
    if attempt.phase is not Phase.TIMEOUT:
        return attempt
    return Attempt(
        attempt.phase, round(moment * 1000 - attempt.at, 3), at=attempt.at, port=attempt.port
    )


def search_list(namespace: str) -> tuple[str, ...]:
    """What the kubelet writes for a pod of that namespace."""
    return (f"{namespace}.svc.cluster.local", "svc.cluster.local", "cluster.local")


def resolv_conf(namespace: str, families: Families = IPV4) -> str:
    """A pod's /etc/resolv.conf."""
    search = " ".join(search_list(namespace))
    return f"search {search}\nnameserver {KUBEADM_SERVERS[families[0]]}\noptions ndots:5\n"
