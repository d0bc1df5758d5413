"""A flow as a walk: the lookup of a name, the translation of a Service, and each end's policies.

Any flow can be asked: from a pod or an address, to a pod, a Service, a name or an address, over
TCP, UDP, SCTP or ICMP. Policies see a flow after its translation, so a Service comes to one flow
for each pod or address behind it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from harness.core.lab.profile import CniProfile
from harness.core.manifests.basis import NO_BASIS, Basis
from harness.core.model import (
    External,
    Pod,
    PodRef,
)
from harness.core.outcome import Verdict
from harness.core.policy.diagnosis import Diagnosis, diagnose
from harness.core.policy.oracle import Oracle
from harness.core.predict.enforced import as_enforced
from harness.core.predict.scenario import Scenario
from harness.core.predict.ways import MASKED, Source, Way, way_of
from harness.core.target import Target
from harness.core.target.ask import outside, pod_of


@dataclass(frozen=True, slots=True)
class Walk:
    """One flow, judged from its beginning to its end.

    `asked` is the flow in the words of the question. `steps` are sentences about what happens
    before any policy is asked: the lookup of a name, the translation of a Service. `parts` has a
    diagnosis for each address that the flow may come to. `because` says why the verdict is what it
    is where the parts alone do not. `answers` has each CNI's own verdict in words, where it is
    known and is not the verdict of the API. `basis` says what the answer rests on. `unsure`:
    nothing here tells whether the flow is made at all.
    """

    asked: str
    verdict: Verdict
    steps: tuple[str, ...] = ()
    parts: tuple[Diagnosis, ...] = ()
    because: str = ""
    answers: Mapping[str, str] | None = None
    basis: Basis = NO_BASIS
    unsure: bool = False


def walk(
    scenario: Scenario, source: Source, target: Target, profiles: Iterable[CniProfile] = ()
) -> Walk:
    """Judge a flow; `profiles` are the CNIs whose own answers are wanted as well.

    Raises:
        ManifestError: an end of the flow is not there.
        ContentError: the target is not one that a packet can reach.
    """
    asked = f"{source if isinstance(source, PodRef) else f'net/{source}'} -> {target}"
    client = _client(scenario, source, asked)
    way = way_of(scenario, source, client, target, asked)
    verdict, because = _verdict(scenario.oracle, way)
    parts = tuple(diagnose(scenario.topology, scenario.policies, flow) for flow in way.flows)
    assumed = _assumed(scenario, (client, *(flow.target for flow in way.flows)))
    basis = replace(scenario.basis, assumed=(*scenario.basis.assumed, *way.assumed, *assumed))
    return Walk(
        asked,
        verdict,
        way.steps,
        parts,
        because,
        _answers(scenario, way, verdict, profiles),
        basis,
        bool(way.unsure),
    )


def _client(scenario: Scenario, source: Source, asked: str) -> Pod | External:
    if isinstance(source, PodRef):
        return pod_of(source, scenario.topology, where=asked)
    return outside(source, scenario.topology, where=asked)


def _verdict(oracle: Oracle, way: Way) -> tuple[Verdict, str]:
    """What the flows of a way add up to, and why if they do not say it themselves."""
    if not way.flows:
        return way.verdict, way.because
    found = {oracle.verdict(flow) for flow in way.flows}
    if len(found) > 1:
        return Verdict.UNDEFINED, "it depends on which of these ends the connection comes to"
    verdict = found.pop()
    if way.unsure and verdict is not Verdict.DENY:
        return Verdict.UNDEFINED, way.unsure
    if way.before is not None and oracle.verdict(way.before) is not verdict:
        why = (
            "whether an ipBlock sees a Service's address before or after its translation is left "
            "open by the API (https://kubernetes.io/docs/concepts/services-networking/"
            "network-policies/, 'ipBlock')"
        )
        return Verdict.UNDEFINED, why
    if way.masked and {oracle.verdict(flow) for flow in way.masked} != {verdict}:
        return Verdict.UNDEFINED, f"{MASKED}, and then policies decide otherwise"
    return verdict, ""


def _answers(
    scenario: Scenario, way: Way, verdict: Verdict, profiles: Iterable[CniProfile]
) -> dict[str, str]:
    """Each CNI's own verdict, where it is known and is not the verdict of the API.

    No CNI knows whether a flow is made at all, nor which address a node gives to a client outside.
    """
    found: dict[str, str] = {}
    if verdict is Verdict.UNDEFINED and (way.unsure or way.masked):
        return found
    for profile in profiles:
        enforced = as_enforced(scenario.topology, scenario.policies, profile)
        if enforced and way.flows and (words := enforced.other_than(verdict, way.flows)):
            found[profile.name] = words
    return found


def _assumed(scenario: Scenario, ends: Iterable[Pod | External]) -> Iterable[str]:
    for end in dict.fromkeys(ends):
        known = not isinstance(end, External) or end.name in scenario.topology.external
        if not known and end.ip is not None:
            yield f"{end} is outside of the cluster, for no pod or Service is known to have it"
