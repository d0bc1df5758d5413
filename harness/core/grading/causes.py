"""Why a flow went as it did, in the oracle's words: one cause for each flow that is named."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from ipaddress import ip_address

from harness.core.ask import Flow
from harness.core.compare.world import TWIN
from harness.core.grading.judge import ANOTHER
from harness.core.grading.model import FlowResult, Got, Submission
from harness.core.grading.world import World
from harness.core.lab.profile import CniProfile
from harness.core.manifests.reader import policies_of
from harness.core.model import External, Pod
from harness.core.outcome import Verdict
from harness.core.policy.oracle import Oracle
from harness.core.predict.enforced import policies_as_enforced


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
        source, target = self._end(flow.source), self._end(flow.target)
        decision = self._oracle.decide(Flow(source, target, flow.port, flow.protocol))
        if flow.got is Got.CLOSED:
            sides = [s for s in (decision.egress, decision.ingress) if s.verdict is Verdict.DENY]
            return "; ".join(side.reason for side in sides)
        return "; ".join(decision.reasons)

    def _end(self, name: str) -> Pod | External:
        topology = self._world.topology
        if name.startswith("net/"):
            text = name.removeprefix("net/")
            return topology.external.get(text) or External(text, ip_address(text))
        if name.startswith(ANOTHER):
            pod = topology.pods[name.removeprefix(f"{ANOTHER} ")]
            return replace(pod, name=f"{pod.name} {TWIN}")
        return topology.pods[name]
