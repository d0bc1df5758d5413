"""The pods and policies on which lifecycle and latency are measured, and the stream over them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from types import TracebackType
from typing import Any, Protocol, Self

from harness.core.conformance.lifecycle import Flow, Line
from harness.core.conformance.series import Series
from harness.core.manifests.reader import Resource, parse
from harness.core.probe.container import prober_container
from harness.edge.api.kube import Kube
from harness.edge.api.kubectl import Exec
from harness.edge.api.namespaces import OWNER, clear, wait_usable
from harness.edge.conformance.life.constant import Aim, Look, Poured, Steady
from harness.edge.files.template import filled
from harness.edge.machine.process import Completed
from harness.edge.machine.wait import NotYet
from harness.edge.probe.beside import pod_lacks
from harness.errors import ContentError, ProbeError

NAMESPACE = "policylab-lifecycle"
CLIENT = "client"
CONTROL_PLANE = "node-role.kubernetes.io/control-plane"
EVERY_US = 1000
"""The period of the stream: at each tick, one datagram on each flow."""
CONTROL_LOOKS = 5


def alone(kube: Kube) -> None:
    """Check that nobody else measures the cluster: two runs would disturb each other.

    Raises:
        ContentError: somebody does, or was killed.
    """
    found = kube.get("v1", "Namespace", NAMESPACE)
    if found is not None and "deletionTimestamp" not in found["metadata"]:
        raise ContentError(
            "another run measures this cluster, or was killed",
            where=f"{kube.where}, namespace {NAMESPACE}",
            seen=f"made at {found['metadata'].get('creationTimestamp')}",
            try_="wait for its end; `policylab conformance --sweep` removes what a killed one left",
        )


class Admin(Protocol):
    """Calls of kubectl on the cluster, for what its client library has no call for."""

    def __call__(self, *words: str, seconds: float) -> Completed:
        """Run kubectl with these words.

        Raises:
            CommandFailed: it failed, or was not done after `seconds`.
        """
        ...


class NodeShell(Protocol):
    """Commands on a node itself: only on clusters that policylab made."""

    def __call__(self, node: str, *words: str) -> Completed:
        """Run a command on the node with this name.

        Raises:
            CommandFailed: it failed.
        """
        ...


@dataclass(frozen=True, slots=True)
class Site:
    """A cluster to measure.

    Attributes:
        kube: its API.
        programs: programs in its pods.
        admin: kubectl on it.
        shell: commands on its nodes; None if nobody may run any.
        image: an image with python3 that its nodes have.
        daemon_set: the CNI's agents, a DaemonSet in kube-system.
    """

    kube: Kube
    programs: Exec
    admin: Admin
    shell: NodeShell | None
    image: str
    daemon_set: str


@dataclass(frozen=True, slots=True)
class Kept:
    """What a stream showed: each flow, what the machine lost meanwhile, and how long it took."""

    lines: tuple[Line, ...]
    lost: Mapping[str, int]
    seconds: float


@dataclass(frozen=True, slots=True)
class Aimed:
    """A flow of the ground: the flow, and the server's name."""

    flow: Flow
    server: str

    def aim(self, address: str) -> Aim:
        """The flow as the stream's agent takes it."""
        return Aim(address, self.flow.held)


class Ground:
    """The pods, with their echoes running. Use it as a context manager; it leaves nothing.

    `build` comes first, then `enforce`.
    """

    def __init__(self, site: Site) -> None:
        self.site = site
        self.near, self.far = _nodes(site.kube)
        self.addresses: dict[str, str] = {}
        self.echoes: dict[str, Steady] = {}
        self.policies: tuple[dict[str, Any], ...] = ()
        self._nonces = count(1)
        self._ends = ExitStack()

    def __enter__(self) -> Self:
        """Take the namespace.

        Raises:
            ContentError: another run has it.
        """
        alone(self.site.kube)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all agents, and remove the namespace."""
        self._ends.close()
        clear(self.site.kube, [NAMESPACE])

    def build(self) -> None:
        """Start the pods, and prove that each flow passes without policies.

        Raises:
            ClusterNotReady: the pods do not run, or a flow does not pass.
            ContentError: the namespace is somebody else's.
            ProbeError: an agent of the stream broke.
        """
        kube = self.site.kube
        clear(kube, [NAMESPACE])
        self.start_pods(far=bool(self.far), space=True)
        flows = self.flows()
        self.pour(
            flows, lambda look: self.wait_for(look, [True] * len(flows), "no policy"), first=1
        )

    def enforce(self) -> None:
        """Bring the policies into force, and prove it by each flow.

        Raises:
            ClusterNotReady: the flows do not show what they must show.
            ProbeError: an agent of the stream broke.
        """
        flows = self.flows()
        self.policies = tuple(dict(resource.body) for resource in policies())
        for policy in self.policies:
            self.site.kube.apply(policy)
        meant = [each.flow.is_open for each in flows]
        self.pour(flows, lambda look: self.wait_for(look, meant, "the policies"), first=1)

    def flows(self, *, far: bool = True) -> tuple[Aimed, ...]:
        """The flows that must stay as they are; with `far` also those to the other node."""
        return flows(far=far and bool(self.far))

    def pour(
        self,
        flows: Sequence[Aimed],
        during: Callable[[Callable[[], Look]], None],
        *,
        first: int = 0,
    ) -> Kept:
        """Stream over the flows while something is done, which may look at the stream.

        A closed flow is also open where its server heard a datagram, even if no echo came back.

        Raises:
            ProbeError: an agent of the stream broke.
        """
        nonce = next(self._nonces)
        clock = self.site.kube.clock
        with Steady(
            self.site.programs, NAMESPACE, CLIENT, clock, self.site.kube.patience
        ) as client:
            aims = [each.aim(self.addresses[each.server]) for each in flows]
            client.send(aims, nonce=nonce, every_us=EVERY_US, first=first)
            began = client.look()
            during(client.look)
            poured = client.stop()
            seconds = clock.monotonic() - began.before
        return self._kept(flows, poured, nonce, seconds)

    def _kept(self, flows: Sequence[Aimed], poured: Poured, nonce: int, seconds: float) -> Kept:
        lost = dict(poured.lost)
        heard: dict[str, Mapping[int, frozenset[int]]] = {}
        for server in {each.server for each in flows}:
            heard[server], dropped = self.echoes[server].heard(nonce)
            for name, number in dropped.items():
                lost[name] = max(lost.get(name, 0), number)
        lines = []
        for number, (each, sent) in enumerate(zip(flows, poured.flows, strict=True)):
            came = frozenset() if each.flow.is_open else heard[each.server].get(number, frozenset())
            passed = [back or n in came for n, back in enumerate(sent.back)]
            lines.append(Line(each.flow, Series(sent.at, passed, poured.until)))
        return Kept(tuple(lines), lost, seconds)

    def start_pods(self, *, far: bool, space: bool = False) -> None:
        """Start the pods that do not run yet, and their echoes; with `space` their namespace too.

        Raises:
            ClusterNotReady: they do not run in time.
            ProbeError: an echo does not answer.
        """
        kube = self.site.kube
        wanted = pods(self.near, self.far if far else "")
        new = {name: pod for name, pod in wanted.items() if name not in self.addresses}
        for resource in resources(new, self.site.image):
            body = dict(resource.body)
            if resource.kind != "Namespace":
                kube.apply(body)
            elif space:
                kube.apply({**body, "metadata": {**body["metadata"], "labels": OWNER}})
                wait_usable(kube, NAMESPACE)
        self.addresses |= _running(kube, list(new))
        for name in new:
            if name != CLIENT:
                echo = Steady(self.site.programs, NAMESPACE, name, patience=self.site.kube.patience)
                self.echoes[name] = self._ends.enter_context(echo)
                echo.echo()

    def wait_for(self, look: Callable[[], Look], meant: Sequence[bool], what: str) -> None:
        """Wait until looks in a row show each flow as it is meant to be.

        Raises:
            ClusterNotReady: they do not in time; the message has the last look.
        """
        looks = 0

        def shown() -> None:
            nonlocal looks
            seen = look()
            looks = looks + 1 if seen.shows(meant) else 0
            if looks < CONTROL_LOOKS:
                raise NotYet(f"of (sent, came back): {seen.flows}, meant to be open: {meant}")

        kube = self.site.kube
        kube.wait(f"all flows show {what}", shown, seconds=kube.patience.settle, every=0.05)


def flows(*, far: bool) -> tuple[Aimed, ...]:
    """The flows that the policies decide; with `far` also those to the other node."""
    found = [
        Aimed(Flow("client -> open", is_open=True), "open-near"),
        Aimed(Flow("client -> open, held", is_open=True, held=True), "open-near"),
        Aimed(Flow("client -> shut (ingress)", is_open=False), "shut-near"),
        Aimed(Flow("client -> barred (egress)", is_open=False), "barred-near"),
    ]
    if far:
        found += [
            Aimed(Flow("client -> open, other node", is_open=True), "open-far"),
            Aimed(Flow("client -> shut (ingress), other node", is_open=False), "shut-far"),
        ]
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Placed:
    """A pod of the ground: its labels and its node."""

    labels: Mapping[str, str]
    node: str


def pods(near: str, far: str) -> dict[str, Placed]:
    """The pods by name: the client on one node, and servers on each; `far` may be empty."""
    found = {CLIENT: Placed({"side": "inside", "who": "client"}, near)}
    kinds = {"open": "allowed", "shut": "allowed", "flip": "allowed", "barred": "not"}
    for place, node in (("near", near), ("far", far)):
        for kind, reach in kinds.items() if node else ():
            found[f"{kind}-{place}"] = Placed({"kind": kind, "reach": reach}, node)
    return found


def resources(placed: Mapping[str, Placed], image: str) -> tuple[Resource, ...]:
    """The namespace and these pods as objects."""
    text = filled(
        __package__ or "",
        "ground.yaml.j2",
        namespace=NAMESPACE,
        prober=json.dumps(prober_container(image)),
        pods=[(name, json.dumps(dict(pod.labels)), pod.node) for name, pod in placed.items()],
    )
    return parse(text, origin="the lifecycle's pods")


def policies() -> tuple[Resource, ...]:
    """The policies that decide the flows, as objects."""
    text = filled(__package__ or "", "policies.yaml.j2", namespace=NAMESPACE)
    return parse(text, origin="the lifecycle's policies")


def _nodes(kube: Kube) -> tuple[str, str]:
    """The node of the client, and another one; empty if there is none.

    Raises:
        ProbeError: the cluster has no node.
    """
    bodies = kube.list("v1", "Node")
    bodies.sort(key=lambda body: CONTROL_PLANE not in body["metadata"].get("labels", {}))
    names = [str(body["metadata"]["name"]) for body in bodies]
    if not names:
        raise ProbeError("the cluster has no nodes", where=kube.where)
    return names[0], names[1] if len(names) > 1 else ""


def _running(kube: Kube, names: Sequence[str]) -> dict[str, str]:
    """The addresses of these pods, as soon as all of them run.

    Raises:
        ClusterNotReady: they do not in time.
    """

    def ready() -> dict[str, str]:
        found = {b["metadata"]["name"]: b for b in kube.list("v1", "Pod", NAMESPACE)}
        states = {name: pod_lacks(found[name]) if name in found else "absent" for name in names}
        if left := {name: state for name, state in states.items() if state}:
            raise NotYet(str(left))
        return {name: str(found[name]["status"]["podIP"]) for name in names}

    return kube.wait(
        f"{len(names)} pods run",
        ready,
        seconds=kube.patience.pods_ready,
        try_=f"kubectl -n {NAMESPACE} describe pods",
    )
