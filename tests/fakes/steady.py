"""The constant stream of a fake cluster: what its agents say, and what newborn pods log.

A datagram goes each millisecond of the cluster's clock. What becomes of it depends on the policies
in force at that moment, so it is asked once for each state of them.
"""

from __future__ import annotations

import base64
import copy
import json
import zlib
from array import array
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any

from harness.core.observation import Phase
from harness.edge.api.kubectl import Dialogue, Exec
from harness.edge.conformance.life import agent
from harness.edge.conformance.life.constant import CALL_PORT
from harness.edge.conformance.life.ground import NAMESPACE, Site
from harness.edge.machine.process import Completed
from tests.fakes.clock import FakeClock
from tests.fakes.cluster import NODES, FakeCluster
from tests.fakes.kube import agent_pod
from tests.fakes.lies import Lie
from tests.fakes.packet import Packet, PodKey
from tests.fakes.programs import FakePrograms

STEP = 0.001
YOUNG, OLD = 0.010, 0.060


class FakeSteady:
    """One agent: an echo, or a stream that goes on while the cluster's clock does."""

    def __init__(self, cluster: LivingCluster, pod: PodKey) -> None:
        self._cluster, self._pod = cluster, pod
        self._answers: list[dict[str, Any]] = []
        self._flows: list[dict[str, Any]] = []
        self._began = 0.0

    def say(self, line: str) -> None:
        request = json.loads(line)
        now = self._cluster.clock.monotonic()
        match request:
            case {"echo": [_, ports]}:
                self._answers.append({"echoing": ports})
            case {"send": stream}:
                self._began, self._flows = now, stream["flows"]
                self._answers.append({"us": 0})
            case {"look": _}:
                self._answers.append(self._look(self._cluster.clock.monotonic()))
            case {"stop": seconds}:
                self._answers.append(self._told(now, seconds))
            case {"heard": nonce}:
                heard = self._cluster.heard.get((nonce, self._pod), {})
                flows = {str(number): packed(bytes(came)) for number, came in heard.items()}
                self._answers.append({"flows": flows, "lost": {"buffers": 0}})

    def hear(self, seconds: float) -> str | None:
        return json.dumps(self._answers.pop(0)) + "\n" if self._answers else None

    def end(self) -> str:
        return ""

    def _look(self, now: float) -> dict[str, Any]:
        moments = [now - OLD + STEP * n for n in range(round((OLD - YOUNG) / STEP))]
        moments = [moment for moment in moments if moment >= self._began]
        found = passes(self._cluster, self._pod, self._flows, moments)
        return {
            "us": round((now - self._began) * 1e6),
            "flows": [[len(moments), sum(flow)] for flow in found],
        }

    def _told(self, now: float, seconds: float) -> dict[str, Any]:
        count = int((now - self._began) / STEP)
        moments = [self._began + STEP * n for n in range(count)]
        found = passes(self._cluster, self._pod, self._flows, moments)
        return {
            "us": round((now - self._began + seconds) * 1e6),
            "flows": seen(count, found),
            "lost": {"buffers": 0, "backlog": 0},
        }


def passes(
    cluster: FakeCluster, pod: PodKey, flows: list[dict[str, Any]], moments: list[float]
) -> list[list[bool]]:
    """Whether a datagram of each flow that was sent at each moment came back."""
    known: dict[tuple[int, Hashable], bool] = {}

    def passed(number: int, moment: float) -> bool:
        key = (number, cluster.state(moment))
        if key not in known:
            flow = flows[number]
            packet = Packet(pod, "udp", flow["addr"], flow["port"], b"", moment)
            phase = cluster.network.send(packet, cluster.network.port()).phase
            known[key] = phase is not Phase.TIMEOUT
        return known[key]

    return [[passed(number, moment) for moment in moments] for number in range(len(flows))]


def seen(count: int, found: list[list[bool]]) -> list[dict[str, Any]]:
    """Flows as an agent tells them; one datagram each millisecond."""
    sent = numbers(n * 1000 for n in range(count))
    return [{"sent": sent, "back": numbers(map(int, flow)), "failed": {}} for flow in found]


def numbers(values: Iterable[int]) -> str:
    """Numbers as the agents pack them."""
    return packed(array("I", values).tobytes())


def packed(data: bytes) -> str:
    """Bytes as the agents pack them."""
    return base64.b64encode(zlib.compress(data, 1)).decode()


class Talking(FakePrograms):
    """Programs of pods, with the agents of the stream among them."""

    def __init__(self, cluster: LivingCluster) -> None:
        super().__init__(cluster)
        self._living = cluster

    def talk(self, namespace: str, pod: str, command: Sequence[str], *, container: str) -> Dialogue:
        assert tuple(command) == agent.steady()
        return FakeSteady(self._living, (namespace, pod))


class LivingCluster(FakeCluster):
    """A cluster whose agents come back when they end, with nodes that take commands.

    `disturbed` is called whenever an agent ends; `after` seconds later it is ready again. `ran` has
    the calls of kubectl and the commands on nodes.
    """

    def __init__(self, lie: Lie | None = None, *, after: float = 2.0) -> None:
        super().__init__("calico", lie)
        self.clock = FakeClock()
        self.after = after
        self.ran: list[str] = []
        self.heard: dict[tuple[int, PodKey], dict[int, list[bool]]] = {}
        self.disturbed: Callable[[], None] = lambda: None
        name = self.cni.daemon_set
        spec = {"selector": {"matchLabels": {"k8s-app": name}}}
        status = {"desiredNumberScheduled": len(NODES)}
        meta = {"namespace": "kube-system", "name": name}
        self.put({"kind": "DaemonSet", "metadata": meta, "spec": spec, "status": status})
        for body in self.agents():
            self._agent_runs(body)

    def agents(self) -> list[dict[str, Any]]:
        """The pods of the CNI's agent."""
        return self.list("v1", "Pod", "kube-system", selector=f"k8s-app={self.cni.daemon_set}")

    def programs(self) -> Exec:
        return Talking(self)

    def site(self, *, shell: bool = True) -> Site:  # type: ignore[override]
        """The cluster as a measurement takes it."""
        on_nodes = self.shell if shell else None
        return Site(self, self.programs(), self.admin, on_nodes, "image", self.cni.daemon_set)

    def admin(self, *words: str, seconds: float) -> Completed:
        self.ran.append(" ".join(words))
        if words[:2] == ("rollout", "status"):
            self._ends()
        if words[0] == "drain":
            for key, body in tuple(self.objects.items()):
                if key[:2] == ("Pod", NAMESPACE) and body["spec"]["nodeName"] == words[1]:
                    self.delete(body)
        return Completed(words, 0, "", "", 0.0)

    def shell(self, node: str, *words: str) -> Completed:
        self.ran.append(" ".join([node, *words]))
        if words[0] == "ctr":
            for body in self.agents():
                if body["spec"]["nodeName"] == node:
                    self._agent_runs(body)
            self._ends()
        elif words[0] == "systemctl":
            meta = {"name": node, "labels": {}}
            ready = {"conditions": [{"type": "Ready", "status": "True"}]}
            self.put({"kind": "Node", "metadata": meta, "status": ready})
            self._agent_runs(agent_pod(f"again-{node}", self.cni.daemon_set, node))
        return Completed(words, 0, "", "", 0.0)

    def changed(self, before: Mapping[str, Any] | None, after: dict[str, Any] | None) -> None:
        super().changed(before, after)
        if before and not after and before["kind"] == "Node":
            for agent_of_it in self.agents():
                if agent_of_it["spec"]["nodeName"] == before["metadata"]["name"]:
                    del self.objects["Pod", "kube-system", agent_of_it["metadata"]["name"]]
            return
        labels = (before or {}).get("metadata", {}).get("labels", {})
        if before and not after and labels.get("k8s-app") == self.cni.daemon_set:
            self._ends()
            new = copy.deepcopy(dict(before))
            new["metadata"] = {k: v for k, v in new["metadata"].items() if k != "uid"}
            new["metadata"]["name"] += "x"
            self._agent_runs(new)

    def _ends(self) -> None:
        self.disturbed()
        self.clock.take(self.after)

    def _agent_runs(self, body: dict[str, Any]) -> None:
        self._run(body)
        [container] = body["status"]["containerStatuses"]
        container["containerID"] = f"containerd://{next(self._names)}"
        self.put(body)

    def _run(self, body: dict[str, Any]) -> None:
        super()._run(body)
        if body["spec"].get("restartPolicy") != "Never":
            return
        body["status"]["phase"] = "Succeeded"
        self.put(body)
        self.version += 1
        for kind in ("initContainers", "containers"):
            meta, words = body["metadata"], body["spec"][kind][0]["command"]
            line = self._newborn((meta["namespace"], meta["name"]), words)
            self.write(meta["namespace"], meta["name"], line)

    def _newborn(self, pod: PodKey, words: Sequence[str]) -> str:
        """What a container of a newborn pod saw; see `agent.newborn` for its words."""
        nonce, _, milliseconds, _, *places = words[len(agent.newborn()) :]
        flows = [{"addr": a, "port": int(p)} for a, p, _ in (place.split(":") for place in places)]
        count, now = int(milliseconds), self.clock.monotonic()
        moments = [now + STEP * n for n in range(count)]
        told = seen(count, found := passes(self, pod, flows, moments))
        pods = {b["status"]["podIP"]: b["metadata"] for b in self.pods() if "podIP" in b["status"]}
        mine = self.objects["Pod", *pod]["status"]["podIP"]
        for number, (flow, came, line) in enumerate(zip(flows, found, told, strict=True)):
            server = (pods[flow["addr"]]["namespace"], pods[flow["addr"]]["name"])
            self.heard.setdefault((int(nonce), server), {})[number] = came
            [back] = passes(self, server, [{"addr": mine, "port": CALL_PORT}], moments)
            line["called"] = numbers(n for n in range(count) if came[n] and back[n])
        return json.dumps({"born_us": 20_000, "flows": told})
