"""Whether Cilium has its policies in force: the policy revision that each endpoint has realised.

An agent numbers the changes of its policies. Each endpoint reports the number of the change up to
which its eBPF maps are written, in `status.policy.realized`. The revision in `spec` lags behind
(1.20.2).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from harness.core.manifests.ciliumrules import NAMESPACE
from harness.edge.api.kube import Kube
from harness.edge.cni.cilium.agents import CiliumAgents
from harness.edge.machine.wait import NotYet, wait_for

POD_NAMESPACE = f"k8s:{NAMESPACE}="
# One exec runs both commands, because an exec takes longer than its commands.
BOTH = ("sh", "-c", "cilium-dbg policy get -o json && cilium-dbg endpoint list -o json")
GOING = frozenset({"disconnecting", "disconnected", "invalid"})


class Revisions:
    """The revisions of all agents of a cluster."""

    def __init__(self, agents: CiliumAgents, kube: Kube) -> None:
        self._agents = agents
        self._kube = kube

    def realised(self, namespaces: Collection[str]) -> None:
        """Wait until every pod of these namespaces has realised the policies that its agent holds.

        Raises:
            NotSettled: one has not before the deadline; the message has its revision.
            ProbeError: an agent does not answer.
        """

        def check() -> None:
            late = [
                line
                for agent in self._agents.by_node().values()
                for line in behind(*parse(self._agents.ask(agent, BOTH)), namespaces)
            ]
            if late:
                raise NotYet("; ".join(late))

        wait_for(
            "Cilium has realised its policies",
            check,
            seconds=self._kube.patience.cni_realised,
            every=0.05,
            clock=self._kube.clock,
        )


def parse(text: str) -> tuple[int, list[dict[str, Any]]]:
    """The agent's revision and its endpoints, from the two documents that it prints."""
    policies, end = json.JSONDecoder().raw_decode(text)
    endpoints, _ = json.JSONDecoder().raw_decode(text[end:].lstrip())
    return int(policies["revision"]), list(endpoints)


def behind(
    revision: int, endpoints: Iterable[Mapping[str, Any]], namespaces: Collection[str]
) -> list[str]:
    """The endpoints of these namespaces that have not realised the revision, in words."""
    wanted = {POD_NAMESPACE + namespace for namespace in namespaces}
    late = []
    for endpoint in endpoints:
        status = endpoint["status"]
        labels = set((status.get("labels") or {}).get("security-relevant") or ())
        if status.get("state") in GOING or not labels & wanted:
            continue
        has = status["policy"]["realized"]["policy-revision"]
        if has < revision:
            name = (status.get("external-identifiers") or {}).get("k8s-pod-name", endpoint["id"])
            late.append(f"{name} has realised revision {has}, not {revision}")
    return late
