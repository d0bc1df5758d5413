"""The birth window: what a pod can do, and what can be done to it, before its policies hold."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

from harness.core.conformance.lifecycle import Flow, Line
from harness.core.conformance.series import Series
from harness.core.manifests.reader import Resource, parse
from harness.edge.api.namespaces import wait_gone
from harness.edge.conformance.life import agent
from harness.edge.conformance.life.constant import (
    FIRST_PORT,
    NEWBORNS,
    PORTS,
    called_of,
    sent_of,
)
from harness.edge.conformance.life.ground import EVERY_US, NAMESPACE, Ground
from harness.edge.files.template import filled
from harness.edge.machine.wait import NotYet
from harness.errors import ProbeError

SECONDS = 2.0
INIT_FILE = "/life/init"
KINDS = {"init": "initContainers", "container": "containers"}
"""The two kinds of container that send, in the order in which they run."""

CALLED = ", called back (ingress)"

_nonces = count(NEWBORNS)


class Newborn:
    """What the two containers of one newborn pod saw, by kind.

    Attributes:
        lines: the flows of each kind of container.
        first_ms: how long after its process began the first datagram was sent.
    """

    def __init__(self) -> None:
        self.lines: dict[str, list[Line]] = {}
        self.first_ms: dict[str, float] = {}


def bear(ground: Ground, name: str, node: str, *, far: bool = True) -> Newborn:
    """Start a pod under the ground's policies, let it send, and remove it.

    Raises:
        ClusterNotReady: the pod does not run to its end in time.
        ProbeError: it does not tell what it saw.
    """
    kube = ground.site.kube
    flows = [each for each in ground.flows(far=far) if not each.flow.held]
    places = [f"{ground.addresses[each.server]}:{FIRST_PORT}:{PORTS}" for each in flows]
    nonces = {kind: next(_nonces) for kind in KINDS}
    resource = newborn_pod(name, node, ground.site.image, nonces, places)
    kube.apply(resource.body)
    try:
        log = _log(ground, name)
    finally:
        kube.delete(resource.body, grace=0)
    wait_gone(kube, [resource.body])
    lines = [line for line in log.splitlines() if line.startswith("{")]
    if len(lines) != len(KINDS):
        raise ProbeError(
            "a newborn pod did not tell what it saw", where=f"{NAMESPACE}/{name}", seen=log[-400:]
        )
    found = Newborn()
    heard = {
        each.server: {kind: ground.echoes[each.server].heard(nonces[kind])[0] for kind in KINDS}
        for each in flows
    }
    for kind, line in zip(KINDS, lines, strict=True):
        told = json.loads(line)
        found.first_ms[kind] = told["born_us"] / 1000
        found.lines[kind] = []
        for number, (each, seen) in enumerate(zip(flows, told["flows"], strict=True)):
            came = heard[each.server][kind].get(number, frozenset())
            where = f"{name}, {kind}: {each.flow.name.replace('client', 'newborn')}"
            found.lines[kind] += _lines(where, each.flow.is_open, seen, came)
    return found


def newborn_pod(
    name: str, node: str, image: str, nonces: Mapping[str, int], places: Sequence[str]
) -> Resource:
    """The pod as an object; `places` are the words of `agent.newborn`, `nonces` are by kind."""
    files = {"init": INIT_FILE, "container": "-"}
    length = str(int(SECONDS * 1000))
    commands = {
        kind: [*agent.newborn(), str(nonces[kind]), str(EVERY_US), length, files[kind], *places]
        for kind in KINDS
    }
    text = filled(
        __package__ or "",
        "newborn.yaml.j2",
        pod=name,
        namespace=NAMESPACE,
        node=node,
        image=image,
        containers=[(KINDS[kind], kind, json.dumps(words)) for kind, words in commands.items()],
    )
    [resource] = parse(text, origin="a newborn pod")
    return resource


def _lines(
    where: str,
    is_open: bool,
    told: Mapping[str, Any],
    came: frozenset[int],
) -> list[Line]:
    """A flow of the newborn, and the flow back to it by which it is called, if it was heard."""
    sent = sent_of(told)
    until = SECONDS * 1000
    passed = [back or (not is_open and n in came) for n, back in enumerate(sent.back)]
    lines = [Line(Flow(where, is_open=is_open), Series(sent.at, passed, until))]
    called = called_of(told)
    heard = [n for n in range(len(sent.at)) if n in came]
    if len(heard) > 1:
        calls = Series([sent.at[n] for n in heard], [n in called for n in heard], until)
        lines.append(Line(Flow(f"{where}{CALLED}", is_open=False), calls))
    return lines


def _log(ground: Ground, name: str) -> str:
    kube = ground.site.kube

    def ended() -> None:
        body = kube.get("v1", "Pod", name, NAMESPACE)
        phase = (body or {}).get("status", {}).get("phase")
        if phase not in ("Succeeded", "Failed"):
            raise NotYet(f"the pod is {phase or 'absent'}")

    kube.wait(f"the newborn pod {name} ends", ended, seconds=kube.patience.pods_ready)
    return kube.logs(NAMESPACE, name)


def control(ground: Ground) -> None:
    """Prove that a newborn pod's flows pass while there is no policy, and that it can be called.

    Raises:
        ClusterNotReady: the pod does not run to its end in time.
        ProbeError: a flow does not pass, so that its silence would mean nothing later.
    """
    born = bear(ground, "control", ground.near)
    for kind, lines in born.lines.items():
        calls = [line for line in lines if line.flow.name.endswith(CALLED)]
        silent = [line.flow.name for line in lines if not any(line.series.passed)]
        if silent or len(calls) * 2 != len(lines):
            raise ProbeError(
                f"the {kind} of a new pod gets no answer without policies either",
                where=NAMESPACE,
                seen="; ".join(silent) or "nobody called it back",
            )


def firsts(newborns: Sequence[Newborn], kind: str) -> float:
    """The longest time from a process's beginning to its first datagram, in ms."""
    return max(newborn.first_ms[kind] for newborn in newborns)
