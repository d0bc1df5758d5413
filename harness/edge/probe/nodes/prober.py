"""The prober of nodes: its pods, its rounds, and what it asks their agents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, Self

from harness.core.observation import Answer
from harness.core.probe.attempts import DEADLINE, Attempts, Item
from harness.core.target import PodRef
from harness.edge.api.kube import Kube, Object
from harness.edge.api.kubectl import kubectl_base
from harness.edge.api.livenames import LiveNames
from harness.edge.probe.nodes.agents import Agents, container_of
from harness.edge.probe.prober import Sound
from harness.edge.probe.stream import Lines
from harness.edge.probe.wire import (
    Hello,
    Listener,
    Round,
    heard_of,
    item_json,
    refusals_of,
    round_of,
)
from harness.errors import ProbeError


class NodeProber:
    """Rounds of probes from the nodes of the pods. Use as a context manager.

    `agents` are the pods in which its agents run; others may use them as well.
    """

    def __init__(
        self, kube: Kube, kubectl: Path, kubeconfig: Path, context: str = "", *, agents: Agents
    ) -> None:
        self._kube = kube
        self.names = LiveNames()
        self._lines = Lines(kubectl_base(kubectl, kubeconfig, context), LiveNames(), kube.patience)
        self._sound = Sound(kube.patience)
        self._agents = agents
        self._homes: dict[PodRef, PodRef] = {}  # each pod's agent
        self._entered: dict[PodRef, Answer[Hello]] = {}
        self._doors: dict[PodRef, Sequence[Listener]] = {}

    @property
    def voided(self) -> int:
        """How many rounds of single agents were void so far."""
        return self._sound.voided

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the streams; the pods of the agents go with the last prober."""
        self._lines.close()
        self._agents.leave(self)

    def forget(self, pods: Iterable[PodRef]) -> None:
        """Leave the namespaces of pods that are about to go; nobody listens in them any more."""
        leaving: dict[PodRef, list[str]] = {}
        for pod in pods:
            self._entered.pop(pod, None)
            self._doors.pop(pod, None)
            if agent := self._homes.pop(pod, None):
                leaving.setdefault(agent, []).append(str(pod))
        # An agent that does not answer has let go of everything.
        requests = {agent: {"leave": names} for agent, names in leaving.items()}
        self._lines.ask(requests, self._kube.patience.round_line)

    def hellos(self, pods: Iterable[PodRef]) -> dict[PodRef, Answer[Hello]]:
        """What the pods' surroundings are; agents start, and enter the pods, as needed."""
        pods = tuple(pods)
        lost = self._lost()
        if new := [pod for pod in (*lost, *pods) if pod not in self._entered]:
            self._enter(new)
        if again := {self._homes[pod] for pod in lost if self._doors.get(pod)}:
            requests = {agent: self._listening(agent) for agent in again}
            self._lines.ask(requests, self._kube.patience.round_line)
        return {pod: self._entered[pod] for pod in pods}

    def _lost(self) -> list[PodRef]:
        """The pods whose agent's stream has ended: the next agent has entered none of them."""
        self._lines.drop_dead()
        lost = [pod for pod, agent in self._homes.items() if agent not in self._lines.streams]
        for pod in lost:
            self._entered.pop(pod, None)
        return lost

    def round(
        self, items: Mapping[PodRef, Sequence[Item]], *, deadline: float = DEADLINE
    ) -> dict[PodRef, Answer[Attempts]]:
        """Probe all items from all pods at once; see `Prober.round`."""
        answers = self._failures(items)
        by_agent: dict[PodRef, list[Item]] = {}
        pod_of: dict[str, str] = {}
        for pod, batch in items.items():
            if pod not in answers:
                by_agent.setdefault(self._homes[pod], []).extend(batch)
                pod_of.update((item.id, str(pod)) for item in batch)
        # What begins together comes from all pods, and not from one pod after the other.
        for batch in by_agent.values():
            batch.sort(key=lambda item: item.offsets[0] if item.offsets else 0.0)
        found = self._sound.rounds(partial(self._once, pod_of), by_agent, deadline)
        return answers | {pod: found[self._homes[pod]] for pod in items if pod not in answers}

    def _once(
        self, pod_of: Mapping[str, str], items: Mapping[PodRef, Sequence[Item]], deadline: float
    ) -> dict[PodRef, Answer[Round]]:
        requests: dict[PodRef, dict[str, Any]] = {
            agent: {
                "deadline": deadline,
                "items": [item_json(item) | {"pod": pod_of[item.id]} for item in batch],
            }
            for agent, batch in items.items()
        }
        lines = self._lines.ask(requests, deadline + self._kube.patience.round_line)
        return {
            agent: line.then(partial(round_of, items=items[agent], pod=agent))
            for agent, line in lines.items()
        }

    def listen(
        self, doors: Mapping[PodRef, Sequence[Listener]]
    ) -> dict[PodRef, Answer[Mapping[Listener, str]]]:
        """Let the pods answer on these ports; see `Prober.listen`."""
        answers: dict[PodRef, Answer[Mapping[Listener, str]]] = dict(self._failures(doors))
        self._doors.update({pod: wanted for pod, wanted in doors.items() if pod not in answers})
        lines = self._lines.ask(
            {
                agent: self._listening(agent)
                for agent in {self._homes[pod] for pod in doors if pod not in answers}
            },
            self._kube.patience.round_line,
        )
        for pod, wanted in doors.items():
            if pod not in answers:
                told = partial(refusals_of, doors=wanted, pod=pod, key=str(pod))
                answers[pod] = lines[self._homes[pod]].then(told)
        return answers

    def _listening(self, agent: PodRef) -> dict[str, Any]:
        """An agent replaces all listeners at once, so it is told of those of all its pods."""
        entries = [
            {**asdict(door), "pod": str(pod)}
            for pod, wanted in self._doors.items()
            if self._homes[pod] == agent
            for door in wanted
        ]
        return {"listen": entries, "name": ""}

    def heard(self, pods: Iterable[PodRef]) -> dict[PodRef, Answer[Mapping[str, float]]]:
        """The nonces that the pods' listeners received since the last call, and how late."""
        pods = tuple(pods)
        answers: dict[PodRef, Answer[Mapping[str, float]]] = dict(self._failures(pods))
        agents = {self._homes[pod] for pod in pods if pod not in answers}
        requests = {agent: {"heard": True} for agent in agents}
        lines = self._lines.ask(requests, self._kube.patience.round_line)
        for pod in pods:
            if pod not in answers:
                told = partial(heard_of, pod=pod, key=str(pod))
                answers[pod] = lines[self._homes[pod]].then(told)
        return answers

    def time_lookups(
        self,
        pod: PodRef,
        names: Sequence[str],  # noqa: ARG002 - see Prober
        *,
        repeat: int,  # noqa: ARG002 - see Prober
    ) -> dict[str, list[float]]:
        """No lookup is timed here: the C library's resolver would read the agent's own files.

        Raises:
            ProbeError: always.
        """
        raise ProbeError("a node's prober times no lookups of a pod", where=str(pod))

    def _failures(self, pods: Iterable[PodRef]) -> dict[PodRef, Answer[Any]]:
        """The pods that cannot be entered, with the reason; the others are entered."""
        hellos = self.hellos(pods)
        return {pod: Answer(problem=h.problem) for pod, h in hellos.items() if h.problem}

    # Namespaces.

    def _enter(self, pods: Sequence[PodRef]) -> None:
        bodies = self._bodies(pods)
        places: dict[PodRef, tuple[str, str]] = {}
        for pod in pods:
            container = container_of(bodies.get(pod))
            if container:
                places[pod] = (bodies[pod]["spec"]["nodeName"], container)
            else:
                error = ProbeError("the pod has no running container", where=str(pod))
                self._entered[pod] = Answer(problem=error)
        self._agents.start({node for node, _ in places.values()}, self)
        wanted: dict[PodRef, dict[str, str]] = {}
        for pod, (node, container) in places.items():
            self._homes[pod] = self._agents.of[node]
            wanted.setdefault(self._agents.of[node], {})[str(pod)] = container
        requests = {agent: {"enter": there} for agent, there in wanted.items()}
        lines = self._lines.ask(requests, self._kube.patience.round_line)
        for pod in places:
            line = lines[self._homes[pod]]
            self._entered[pod] = line.then(partial(_hello_in, pod=pod, name=self.names.of(pod)))

    def _bodies(self, pods: Iterable[PodRef]) -> dict[PodRef, Object]:
        live = {(pod.namespace, self.names.of(pod)): pod for pod in pods}
        found: dict[PodRef, Object] = {}
        for namespace in sorted({namespace for namespace, _ in live}):
            for body in self._kube.list("v1", "Pod", namespace):
                if pod := live.get((namespace, body["metadata"]["name"])):
                    found[pod] = body
        return found


def _hello_in(line: Mapping[str, Any], pod: PodRef, name: str) -> Hello:
    """A pod's surroundings, as the agent that entered it tells them.

    Raises:
        ProbeError: the agent could not enter the pod.
    """
    told = line.get("entered", {}).get(str(pod), {"error": "the agent does not say"})
    if "error" in told:
        raise ProbeError(
            f"the node's prober cannot enter {pod}", where=str(pod), seen=str(told["error"])
        )
    return Hello(name, str(told["resolv_conf"]))
