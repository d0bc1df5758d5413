"""A flow as a walk: the lookup of a name, the translation of a Service, and each end's policies.

Any flow can be asked: from a pod or an address, to a pod, a Service, a name or an address, over
TCP, UDP, SCTP or ICMP. Policies see a flow after its translation, so a Service comes to one flow
for each pod or address behind it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from harness.core.ask import Flow, absent, end_of, outside, pod_of
from harness.core.lab.profile import CniProfile
from harness.core.manifests.basis import NO_BASIS, Basis
from harness.core.model import (
    Endpoint,
    External,
    Pod,
    PodRef,
    Protocol,
    Service,
    ServicePort,
)
from harness.core.outcome import Outcome, Verdict
from harness.core.policy.diagnosis import Diagnosis, diagnose
from harness.core.policy.oracle import Oracle
from harness.core.predict.enforced import as_enforced, in_words
from harness.core.predict.scenario import Scenario
from harness.core.target import ExternalPort, NamePort, Ping, PodPort, ServiceAddress, Target
from harness.errors import ContentError

Source = PodRef | str
"""Who asks: a pod, or a name or an address outside of the cluster."""

_FORMS = "pod/NAMESPACE/NAME:PORT, svc/NAMESPACE/NAME:PORT, name/HOST:PORT, net/ADDRESS:PORT"


@dataclass(frozen=True, slots=True)
class Walk:
    """One flow, judged from its beginning to its end.

    `asked` is the flow in the words of the question. `steps` are sentences about what happens
    before any policy is asked: the lookup of a name, the translation of a Service. `parts` has a
    diagnosis for each address that the flow may come to. `because` says why the verdict is what it
    is where the parts alone do not. `answers` has each CNI's own verdict in words, where it is
    known and is not the verdict of the API. `basis` says what the answer rests on.
    """

    asked: str
    verdict: Verdict
    steps: tuple[str, ...] = ()
    parts: tuple[Diagnosis, ...] = ()
    because: str = ""
    answers: Mapping[str, str] | None = None
    basis: Basis = NO_BASIS


@dataclass(frozen=True, slots=True)
class _Way:
    """Where a target leads: flows after translation, and the sentences that say how.

    `before` is the flow to a Service's own address, where the API leaves open whether policies see
    the flow before or after its translation.
    """

    flows: tuple[Flow, ...] = ()
    steps: tuple[str, ...] = ()
    because: str = ""
    verdict: Verdict = Verdict.UNDEFINED
    before: Flow | None = None


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
    way = _way(scenario, source, client, target, asked)
    verdict, because = _verdict(scenario.oracle, way)
    parts = tuple(diagnose(scenario.topology, scenario.policies, flow) for flow in way.flows)
    assumed = _assumed(scenario, (client, *(flow.target for flow in way.flows)))
    basis = replace(scenario.basis, assumed=(*scenario.basis.assumed, *assumed))
    return Walk(
        asked,
        verdict,
        way.steps,
        parts,
        because,
        _answers(scenario, way, verdict, profiles),
        basis,
    )


def _client(scenario: Scenario, source: Source, asked: str) -> Pod | External:
    if isinstance(source, PodRef):
        return pod_of(source, scenario.topology, where=asked)
    return outside(source, scenario.topology, where=asked)


def _way(
    scenario: Scenario, source: Source, client: Pod | External, target: Target, asked: str
) -> _Way:
    match target:
        case PodPort() | ExternalPort() | Ping():
            service = _at_address(scenario, target)
            if service and not isinstance(target, Ping):
                return _through(scenario, client, service, target.port, target.protocol)
            end = end_of(target, scenario.topology, where=asked)
            return _Way((Flow(client, end, target.port or 0, target.protocol),))
        case ServiceAddress():
            services, key = scenario.topology.services, f"{target.namespace}/{target.name}"
            if key not in services:
                raise absent(f"no manifest has the Service {key}", key, services, asked)
            return _through(scenario, client, services[key], target.port, target.protocol)
        case NamePort():
            return _by_name(scenario, source, client, target)
    raise ContentError(
        f"`{target}` is not a flow: policies decide about packets that go to an address and a port",
        where=asked,
        try_=f"write one of {_FORMS}, or ping/pod/NAMESPACE/NAME",
    )


def _at_address(scenario: Scenario, target: PodPort | ExternalPort | Ping) -> Service | None:
    """The Service whose cluster IP the target is."""
    if not isinstance(target, ExternalPort):
        return None
    found = (
        service
        for service in scenario.topology.services.values()
        if service.cluster_ip and str(service.cluster_ip) == target.name.strip("[]")
    )
    return next(found, None)


def _by_name(scenario: Scenario, source: Source, client: Pod | External, target: NamePort) -> _Way:
    if not isinstance(source, PodRef):
        raise ContentError(
            f"net/{source} is outside of the cluster, and nothing here knows its name server",
            try_="write the address instead of the name: net/ADDRESS:PORT",
        )
    lookup, end = scenario.named(source, target.name)
    step = f"{source} looks up `{target.name}`: {lookup.reading or 'the policies leave it open'}"
    steps = (step, *lookup.reasons)
    match end:
        case External():
            return _Way((Flow(client, end, target.port, target.protocol),), steps)
        case Service():
            way = _through(scenario, client, end, target.port, target.protocol)
            return replace(way, steps=(*steps, *way.steps))
    outcome = lookup.reading.outcome if lookup.reading else None
    if outcome in (Outcome.DNS_TIMEOUT, Outcome.DNS_REFUSED):
        return _Way(
            (), steps, "without an answer to its lookup the pod connects to nobody", Verdict.DENY
        )
    why = "there is no such name" if outcome is Outcome.DNS_NXDOMAIN else "nobody is known there"
    return _Way((), steps, f"{why}, so there is no flow that policies could decide about")


def _through(
    scenario: Scenario, client: Pod | External, service: Service, port: int, protocol: Protocol
) -> _Way:
    """The flows behind a Service (https://kubernetes.io/docs/concepts/services-networking/service/)."""
    if service.external_name:
        why = f"the Service {service} is only another name for {service.external_name}"
        return _Way(because=f"{why}; ask for name/{service.external_name}:{port} instead")
    backends = scenario.topology.behind(service)
    if service.headless:
        step = f"the Service {service} is headless: clients reach its pods' own addresses and ports"
        return _Way(tuple(Flow(client, pod, port, protocol) for pod in backends), (step,))
    entry = next((p for p in service.ports if (p.port, p.protocol) == (port, protocol)), None)
    if entry is None:
        has = ", ".join(f"{p.protocol} {p.port}" for p in service.ports) or "none"
        why = f"the Service {service} has no port {protocol} {port} (it has: {has})"
        return _Way(because=f"{why}; the API leaves open what answers there")
    flows = [*_to_pods(client, backends, entry), *_to_endpoints(scenario, client, service, entry)]
    if not flows:
        return _Way(because=f"no pod is behind the Service {service}, so nobody can be reached")
    ends = ", ".join(f"{flow.target}:{flow.port}" for flow in flows)
    step = f"the Service {service} hands {protocol} {port} on to {ends}; policies see that flow"
    before = None
    if service.cluster_ip and any(isinstance(flow.target, External) for flow in flows):
        before = Flow(client, External(str(service), service.cluster_ip), port, protocol)
    return _Way(tuple(flows), (step,), before=before)


def _to_pods(client: Pod | External, backends: Iterable[Pod], entry: ServicePort) -> list[Flow]:
    ends = ((pod, entry.at(pod)) for pod in backends)
    return [Flow(client, pod, port, entry.protocol) for pod, port in ends if port is not None]


def _to_endpoints(
    scenario: Scenario, client: Pod | External, service: Service, entry: ServicePort
) -> list[Flow]:
    """The flows to the addresses that stand behind a Service without a selector."""
    pods = {pod.ip: pod for pod in scenario.topology.pods.values() if pod.ip}

    def flow(found: Endpoint) -> Flow:
        end = pods.get(found.ip) or External(str(found.ip), found.ip)
        return Flow(client, end, found.port, found.protocol)

    chosen = (e for e in service.endpoints if e.name == entry.name and e.protocol is entry.protocol)
    return [flow(endpoint) for endpoint in chosen]


def _verdict(oracle: Oracle, way: _Way) -> tuple[Verdict, str]:
    """What the flows of a way add up to, and why if they do not say it themselves."""
    if not way.flows:
        return way.verdict, way.because
    found = {oracle.verdict(flow) for flow in way.flows}
    if len(found) > 1:
        return Verdict.UNDEFINED, "it depends on which of these ends the Service chooses"
    verdict = found.pop()
    if way.before is not None and oracle.verdict(way.before) is not verdict:
        why = (
            "whether an ipBlock sees a Service's address before or after its translation is left "
            "open by the API (https://kubernetes.io/docs/concepts/services-networking/"
            "network-policies/, 'ipBlock')"
        )
        return Verdict.UNDEFINED, why
    return verdict, ""


def _answers(
    scenario: Scenario, way: _Way, verdict: Verdict, profiles: Iterable[CniProfile]
) -> dict[str, str]:
    """Each CNI's own verdict, where it is known and is not the verdict of the API."""
    found: dict[str, str] = {}
    for profile in profiles:
        oracle = as_enforced(scenario.topology, scenario.policies, profile)
        if oracle is None:
            continue
        flows = tuple(_between_its_own(oracle, flow) for flow in way.flows)
        own, _ = _verdict(oracle, replace(way, flows=flows, before=None))
        if way.flows and own not in (verdict, Verdict.UNDEFINED):
            found[profile.name] = in_words(own, way.flows, profile)
    return found


def _between_its_own(oracle: Oracle, flow: Flow) -> Flow:
    """The flow between the ends as an oracle has them, which may know more of their addresses."""
    source, target = (
        oracle.topology.pods.get(str(end), end) if isinstance(end, Pod) else end
        for end in (flow.source, flow.target)
    )
    return replace(flow, source=source, target=target)


def _assumed(scenario: Scenario, ends: Iterable[Pod | External]) -> Iterable[str]:
    for end in dict.fromkeys(ends):
        if isinstance(end, External) and end.name not in scenario.topology.external:
            yield f"{end} is outside of the cluster, for no pod or Service is known to have it"
