"""Cilium's count of dropped packets: the denied flows that Hubble saw, by pod and direction.

Hubble keeps only the latest events of each node in a ring, so this module adds them up. Only drops
by policy count: a node also drops packets that it cannot forward (router solicitations).
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any

from harness.core.manifests.ciliumrules import NAMESPACE as POD_NAMESPACE
from harness.core.manifests.ciliumrules import bare
from harness.core.manifests.networkpolicy import selector
from harness.core.model import Direction, PodRef, Selector
from harness.core.policy.selectors import selects
from harness.edge.api.kube import Kube
from harness.edge.api.kubectl import Exec
from harness.edge.api.livenames import LivePod
from harness.edge.cni.cilium.agents import CiliumAgents
from harness.edge.cni.drops import Dropped, Drops
from harness.errors import ProbeError

SOCKET = "unix:///var/run/cilium/hubble.sock"
BY_POLICY = "POLICY_DENIED"
NAME = "io.cilium.k8s.policy.name"
NAMESPACE = "io.cilium.k8s.policy.namespace"
SIDES = {"EGRESS": ("source", Direction.EGRESS), "INGRESS": ("destination", Direction.INGRESS)}


class HubbleDrops:
    """The drops, asked of the agent on the node where each pod runs."""

    def __init__(self, kube: Kube, kubectl: Exec) -> None:
        self._kube = kube
        self._agents = CiliumAgents(kube, kubectl)
        self._since: dict[str, str] = {}
        self._born = kube.clock.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        self._counted: set[str] = set()
        self._packets: dict[tuple[LivePod, Direction], Counter[int]] = defaultdict(Counter)

    def tell(self, pods: Collection[PodRef]) -> Mapping[str, str]:
        """What the agents of these pods have in force, and their logs (see `DropCounter`).

        Raises:
            ProbeError: an agent does not answer.
        """
        return self._agents.tell(pods)

    def read(self, pods: Collection[LivePod]) -> Drops:
        """Both ends of each of these pods.

        Raises:
            ProbeError: an agent does not tell, or a pod does not run.
        """
        bodies = {pod: self._body(pod) for pod in pods}
        agents = self._agents.by_node()
        nodes = {body["spec"]["nodeName"] for body in bodies.values()}
        policies = {node: self._look(node, agents.get(node)) for node in nodes}
        return {
            (pod, direction): Dropped(
                self._packets[pod, direction].total(),
                isolating(policies[body["spec"]["nodeName"]], labels_of(body), direction),
                dict(self._packets[pod, direction]),
            )
            for pod, body in bodies.items()
            for direction in Direction
        }

    def _body(self, pod: LivePod) -> Mapping[str, Any]:
        body = self._kube.get("v1", "Pod", pod.name, pod.namespace)
        if body is None:
            raise ProbeError(f"the pod {pod} does not run", where=self._kube.where)
        return body

    def _look(self, node: str, agent: str | None) -> list[dict[str, Any]]:
        """Count a node's new drops, and return the policies that its agent holds."""
        if agent is None:
            raise ProbeError(f"no Cilium agent runs on {node}", where=self._kube.where)
        since = self._since.get(node, self._born)
        words = ["hubble", "observe", f"--server={SOCKET}", "--type=drop", "--output=json"]
        for event in events(self._agents.ask(agent, [*words, f"--since={since}"])):
            self._since[node] = max(self._since.get(node, since), event["time"])
            end = dropped_at(event)
            if end is not None and event["uuid"] not in self._counted:
                self._counted.add(event["uuid"])
                self._packets[end][port_of(event)] += 1
        held = json.loads(self._agents.ask(agent, ["cilium-dbg", "policy", "get", "--output=json"]))
        return [rule for each in json.loads(held["policy"]) for rule in by_direction(each)]


def events(text: str) -> Iterator[dict[str, Any]]:
    """The flows among the lines that Hubble prints; Hubble also reports lost events.

    Raises:
        ProbeError: Hubble lost events, so flows may be missing.
    """
    for line in filter(None, text.splitlines()):
        event = json.loads(line)
        if "lost_events" in event:
            raise ProbeError("Hubble lost events", seen=line[:300], try_="run it again")
        if "flow" in event:
            yield event["flow"]


def dropped_at(event: Mapping[str, Any]) -> tuple[LivePod, Direction] | None:
    """At which end of which pod a policy dropped this; None for what no policy dropped."""
    if event.get("drop_reason_desc") != BY_POLICY or event.get("traffic_direction") not in SIDES:
        return None
    side, direction = SIDES[event["traffic_direction"]]
    pod = event.get(side, {})
    if "pod_name" not in pod:
        return None
    return LivePod(pod["namespace"], pod["pod_name"]), direction


def port_of(event: Mapping[str, Any]) -> int:
    """The source port of the packet; 0 if its protocol has no ports."""
    return max(
        (int(part.get("source_port", 0)) for part in event.get("l4", {}).values()), default=0
    )


def labels_of(body: Mapping[str, Any]) -> dict[str, str]:
    """A pod's labels as Cilium's selectors see them: its namespace is one of them."""
    meta = body["metadata"]
    return {**meta.get("labels", {}), POD_NAMESPACE: meta["namespace"]}


def by_direction(rule: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A rule of the agent in the form of 1.20, which has one rule for each direction.

    1.15 has one for both, as the API of `CiliumNetworkPolicy` has; a direction that it names is
    isolated.
    """
    if "Subject" in rule:
        return [dict(rule)]
    return [
        {
            "Ingress": direction == "ingress",
            "DefaultDeny": True,
            "Subject": rule["endpointSelector"],
            "Labels": rule["labels"],
        }
        for direction in ("ingress", "egress")
        if rule.get(direction) or rule.get(f"{direction}Deny")
    ]


def isolating(
    policies: Collection[Mapping[str, Any]], labels: Mapping[str, str], direction: Direction
) -> tuple[str, ...]:
    """The policies of the agent that isolate a pod with these labels."""
    found = set()
    for policy in policies:
        ours = policy["Ingress"] == (direction is Direction.INGRESS)
        if ours and policy["DefaultDeny"] and selects(_selector(policy["Subject"]), labels):
            named = {label["key"]: label["value"] for label in policy["Labels"]}
            found.add(f"{named.get(NAMESPACE, '')}/{named.get(NAME, '')}")
    return tuple(sorted(found))


def _selector(subject: Mapping[str, Any]) -> Selector:
    """A policy's subject, its keys without the source that Cilium puts before them."""
    written = selector(subject).requirements
    return Selector(tuple(replace(each, key=bare(each.key)) for each in written))
