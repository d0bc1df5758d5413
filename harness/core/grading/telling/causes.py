"""Why a flow went as it did, in the oracle's words: a cause for each flow that reports name."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import replace
from functools import cached_property
from ipaddress import ip_address

from harness.core.compare.world import TWIN
from harness.core.grading.judge import ANOTHER
from harness.core.grading.model import FlowResult, Got, Grade, Submission
from harness.core.grading.telling.showing import SHOWN, in_order
from harness.core.grading.world import World
from harness.core.lab.profile import CniProfile
from harness.core.manifests.reader import policies_of
from harness.core.model import External, Pod
from harness.core.outcome import Verdict
from harness.core.policy.decision import Decision, Side
from harness.core.policy.oracle import Oracle
from harness.core.predict.enforced import policies_as_enforced
from harness.core.target.ask import Flow

MOST = 40
"""Flows of a row among which different causes are looked for."""


def explained(grade: Grade, causes: Causes) -> Grade:
    """The grade with the causes that reports tell.

    In each row that is not hidden, at most `SHOWN` flows get one. Flows that the same rules decide
    have one cause together, in the words of the first, and each kind of cause is there if it fits.
    """
    told: dict[FlowResult, str] = {}
    for result in grade.rows:
        if not result.row.hidden:
            mine = (flow for flow in grade.flows if flow.row == result.row.id)
            told |= _told(in_order(mine)[:MOST], causes)
    flows = (replace(flow, why=flow.why or told.get(flow, "")) for flow in grade.flows)
    return replace(grade, flows=tuple(flows))


def _told(flows: Iterable[FlowResult], causes: Causes) -> dict[FlowResult, str]:
    kinds: dict[Hashable, list[FlowResult]] = {}
    for flow in flows:
        kinds.setdefault(causes.kind(flow), []).append(flow)
    heads = list(kinds.values())[:SHOWN]
    left = SHOWN - len(heads)
    found: dict[FlowResult, str] = {}
    for group in heads:
        why = causes.of(group[0])
        more = group[1 : 1 + left]
        left -= len(more)
        found |= dict.fromkeys((group[0], *more), why)
    return found


class Causes:
    """The causes of a submission's flows, as one CNI enforces its policies."""

    def __init__(self, world: World, submission: Submission, profile: CniProfile) -> None:
        self._world = world
        self._policies = policies_as_enforced(policies_of(submission.resources), profile)

    @cached_property
    def _oracle(self) -> Oracle:
        return Oracle(self._world.topology, self._policies)

    def of(self, flow: FlowResult) -> str:
        """The reasons of the ends that decide; empty where the policies alone do not say it."""
        decision = self._decision(flow)
        if flow.got is Got.CLOSED:
            return "; ".join(side.reason for side in _denying(decision))
        return "; ".join(decision.reasons)

    def kind(self, flow: FlowResult) -> Hashable:
        """What decides: it is the same for flows that one change of the policies would mend."""
        decision = self._decision(flow)
        if flow.got is Got.CLOSED:
            return flow.got, *(_missing(side) for side in _denying(decision))
        sides = ((decision.egress, flow.source), (decision.ingress, flow.target))
        return flow.got, decision.note, *(self._passing(*side) for side in sides)

    def _passing(self, side: Side, end: str) -> Hashable:
        """The rules that let the flow pass; where none is needed, the namespace that is open."""
        if side.allowed_by:
            return frozenset((str(policy), number) for policy, number in side.allowed_by)
        home = end.partition("/")[0]
        return home if home in self._world.assignment.namespaces else ""

    def _decision(self, flow: FlowResult) -> Decision:
        source, target = self._end(flow.source), self._end(flow.target)
        return self._oracle.decide(Flow(source, target, flow.port, flow.protocol))

    def _end(self, name: str) -> Pod | External:
        topology = self._world.topology
        if name.startswith("net/"):
            text = name.removeprefix("net/")
            return topology.external.get(text) or External(text, ip_address(text))
        if name.startswith(ANOTHER):
            pod = topology.pods[name.removeprefix(f"{ANOTHER} ")]
            return replace(pod, name=f"{pod.name} {TWIN}")
        return topology.pods[name]


def _denying(decision: Decision) -> list[Side]:
    return [side for side in (decision.egress, decision.ingress) if side.verdict is Verdict.DENY]


def _missing(side: Side) -> Hashable:
    """The rule that comes nearest; without one, the policies that isolate the end."""
    if side.nearest:
        return side.direction, str(side.nearest.policy), side.nearest.number
    return side.direction, frozenset(map(str, side.isolated_by))
