"""The gate: before any lab, it proves that this cluster enforces policies at all.

Canary pods must be reachable, become silent under a deny policy, and be reachable again without it.
CoreDNS must answer. On a CNI that enforces nothing, every later "timeout" would be worthless, so
the run stops here.

Afterwards the canaries serve as a fence: if a CNI programs changes in order, every earlier change
is in force when a later canary policy is in force.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock

from harness.core.manifests.reader import Resource, parse
from harness.core.model import Protocol
from harness.core.outcome import Outcome
from harness.core.probe.attempts import Item, classify
from harness.core.probe.container import CONTAINER, prober_container
from harness.core.target import PodPort, PodRef
from harness.core.target.ask import Ask
from harness.core.target.family import IPV4, Families, Family
from harness.edge.api.kube import Kube
from harness.edge.cni.known import CNIS
from harness.edge.files.template import filled
from harness.edge.internet.state import Internet
from harness.edge.probe.prober import Prober
from harness.edge.stage.stage import Stage
from harness.errors import ClusterNotReady

NAMESPACE = "policylab-gate"
CLIENT = PodRef(NAMESPACE, "canary-client")
PORT = 8080  # a server needs no right for a port from 1024 on

UNDER_DENY = "under a policy that denies all ingress, "
ENFORCE = (
    "the API server only stores a NetworkPolicy; the network plugin (CNI) must enforce it, and "
    f"some, such as flannel alone, do not. Take one that does: --lab-cni={'|'.join(CNIS)}"
)


@dataclass(frozen=True, slots=True)
class GateReport:
    """The gate's result: ms until the deny policy was in force, and until its removal was."""

    nodes: int
    deny_ms: float
    reopen_ms: float


class Gate:
    """The canaries, one server on each node. Users that work at the same time have their own."""

    def __init__(
        self,
        kube: Kube,
        prober: Prober,
        *,
        images: Mapping[str, str],
        internet: Internet | None,
        user: str = "",
        families: Families = IPV4,
    ) -> None:
        self._kube = kube
        self._namespace = f"{NAMESPACE}-{user}" if user else NAMESPACE
        self._client = PodRef(self._namespace, CLIENT.name)
        nodes = [body["metadata"]["name"] for body in kube.list("v1", "Node")]
        self._servers = tuple(
            PodRef(self._namespace, f"canary-server-{number}") for number, _ in enumerate(nodes)
        )
        library = _library(nodes, self._namespace, six=Family.IPV6 in families)
        self._stage = Stage(
            kube,
            prober,
            library,
            images=images,
            internet=internet,
            fence=self._no_fence,
            families=families,
        )
        self._prober = prober
        self._outside = internet.servers if internet else ()
        self._denied = False
        self._turn = Lock()  # tutorials run in parallel, and there is only one canary policy

    def prove(self) -> GateReport:
        """Open, deny, open again.

        Raises:
            ClusterNotReady: a canary did not behave, or does not reach a server that the user
                vouches for; the message says which and what was seen.
            ProbeError: the probes themselves failed.
        """
        with self._turn:
            self._stage.take_over()
            self._enter("pods")
            self._expect(Outcome.CONNECTED, "without a policy")
            self._reach_outside()
            deny = self._enter("pods", "deny")
            self._expect(Outcome.TIMEOUT, "under a policy that denies all ingress")
            reopen = self._enter("pods")
            self._expect(Outcome.CONNECTED, "after the policy was removed")
        return GateReport(len(self._servers), deny, reopen)

    def fence(self) -> None:
        """Flip the canary policy and wait for its effect; all earlier changes are in force then.

        Raises:
            ClusterNotReady: the canary did not flip before its deadline.
        """
        with self._turn:
            self._denied = not self._denied
            self._enter(*(["pods", "deny"] if self._denied else ["pods"]))

    def close(self) -> None:
        """Remove the canaries."""
        self._stage.close()

    def _enter(self, *names: str) -> float:
        """Bring the canaries to this state; returns how many ms that took."""
        settled = self._stage.enter(names).settled
        if settled.missing:
            raise ClusterNotReady(
                "the gate: this cluster does not do what policies say; no lab can be judged on it",
                where=self._kube.where,
                seen=f"{UNDER_DENY if 'deny' in names else ''}{settled.missing}",
                try_=ENFORCE if "deny" in names else "does CoreDNS run? policylab cluster status",
            )
        return settled.ms

    def _expect(self, outcome: Outcome, when: str) -> None:
        asks = [Ask(self._client, PodPort(server, PORT, Protocol.TCP)) for server in self._servers]
        for ask, answer in self._stage.observer.read(asks).items():
            seen = answer.unwrap()
            if seen.reading.outcome is not outcome:
                raise ClusterNotReady(
                    f"the gate: {ask} must be {outcome} {when}",
                    where=self._kube.where,
                    seen=str(seen.reading),
                    try_=ENFORCE,
                )

    def _reach_outside(self) -> None:
        """Connect to each server that the user vouches for: on a dead one a policy would show."""
        items = [Item(str(each), "tcp", each.address, each.port) for each in self._outside]
        if not items:
            return
        [answer] = self._prober.round({self._client: items}).values()
        attempts = answer.unwrap()
        for item in items:
            found = attempts[item.id]
            outcome = classify(
                found, wanted=len(item.offsets), where=f"{self._client} -> {item.id}"
            )
            if outcome is not Outcome.CONNECTED:
                raise ClusterNotReady(
                    f"the gate: the server outside {item.id} must accept connections",
                    where=self._kube.where,
                    seen=f"{outcome}, from the pod {self._client}, with no policy in the way",
                    try_="does it run, and do pods have a way to it? --lab-outside names it",
                )

    @staticmethod
    def _no_fence() -> None:
        raise ClusterNotReady("the gate's own policy changes no flow: this is a bug in policylab")


def _library(nodes: Sequence[str], namespace: str, *, six: bool) -> dict[str, tuple[Resource, ...]]:
    """The canaries' manifests; with `six`, the servers listen on addresses of IPv6 as well."""
    servers = [(f"canary-server-{number}", node) for number, node in enumerate(nodes)]

    def text(name: str) -> str:
        values = {"namespace": namespace, "port": PORT, "servers": servers, "six": six}
        prober = prober_container()
        return filled(
            "harness.edge.stage",
            name,
            container=CONTAINER,
            prober=json.dumps(prober),
            rights=json.dumps(prober["securityContext"]),
            **values,
        )

    return {
        "pods": parse(text("canaries.yaml.j2"), origin="the gate's pods"),
        "deny": parse(text("canary-deny.yaml.j2"), origin="the gate's policy"),
    }
