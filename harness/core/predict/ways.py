"""Where a target leads: the lookup of a name, the translation of a Service, and the flows behind.

Policies see a flow after its translation, so a Service comes to one flow for each pod or address
behind it, and a name to the ends that it means.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from harness.core.dns.zone import MAX_ALIASES
from harness.core.model import External, Pod, PodRef, Protocol, Service, ServicePort
from harness.core.outcome import Outcome, Verdict
from harness.core.predict.owners import Owner, end_at, is_outside, named_in, owner_of
from harness.core.predict.scenario import Scenario
from harness.core.target import (
    ExternalPort,
    NamePort,
    NodePort,
    Ping,
    PodPort,
    ServiceAddress,
    Target,
)
from harness.core.target.ask import Ask, Flow, absent, end_of
from harness.errors import ContentError

Source = PodRef | str
"""Who asks: a pod, or a name or an address outside of the cluster."""

MASKED = "a node may put its own address in place of the client's"
"""Why nobody can say which address policies see of a client outside that uses a Service."""

_NOT_HERE = "the cluster's name server asks those of its node, for nobody here has that name"
_FORMS = "pod/NAMESPACE/NAME:PORT, svc/NAMESPACE/NAME:PORT, name/HOST:PORT, net/ADDRESS:PORT"


@dataclass(frozen=True, slots=True)
class Way:
    """Where a target leads: flows after translation, and the sentences that say how.

    `before` is the flow to a Service's own address, where the API leaves open whether policies see
    the flow before or after its translation. `masked` are the flows that policies see in place of
    these, if a node puts its own address in place of the client's. `unsure` says why the flows are
    perhaps not made at all. `assumed` are sentences about what was taken for granted.
    """

    flows: tuple[Flow, ...] = ()
    steps: tuple[str, ...] = ()
    because: str = ""
    verdict: Verdict = Verdict.UNDEFINED
    before: Flow | None = None
    masked: tuple[Flow, ...] = ()
    unsure: str = ""
    assumed: tuple[str, ...] = ()


def way_of(
    scenario: Scenario, source: Source, client: Pod | External, target: Target, asked: str
) -> Way:
    """The way of a flow; `client` is the end that `source` names, `asked` the flow in words.

    Raises:
        ManifestError: an end of the flow is not there.
        ContentError: the target is not one that a packet can reach.
    """
    match target:
        case PodPort() | ExternalPort() | Ping():
            service = _at_address(scenario, target)
            if service and not isinstance(target, Ping):
                return _through(scenario, client, service, target.port, target.protocol)
            end = end_of(target, scenario.topology, where=asked)
            return Way((Flow(client, end, target.port or 0, target.protocol),))
        case ServiceAddress():
            services, key = scenario.topology.services, f"{target.namespace}/{target.name}"
            if key not in services:
                raise absent(f"no manifest has the Service {key}", key, services, asked)
            return _through(scenario, client, services[key], target.port, target.protocol)
        case NodePort():
            return _at_node(scenario, source, target)
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


def _at_node(scenario: Scenario, source: Source, target: NodePort) -> Way:
    """The API leaves open which addresses policies see, so it is no single flow."""
    if not isinstance(source, PodRef):
        return Way(because=MASKED)
    found = scenario.predict(Ask(source, target))
    if found.reading is None:
        return Way(because="; ".join(found.reasons))
    because = "it passes whether policies see the client and the pod, or the node"
    return Way(because=because, verdict=Verdict.ALLOW)


def _by_name(scenario: Scenario, source: Source, client: Pod | External, target: NamePort) -> Way:
    if not isinstance(source, PodRef):
        raise ContentError(
            f"net/{source} is outside of the cluster, and nothing here knows its name server",
            try_="write the address instead of the name: net/ADDRESS:PORT",
        )
    lookup, owner = scenario.named(source, target.name)
    asked = f"{source} looks up `{target.name}`"
    if scenario.asks_outside(source, target.name):
        return _beyond(scenario, client, target, (f"{asked}: {_NOT_HERE}", *lookup.reasons))
    steps = (f"{asked}: {lookup.reading or 'what it finds is not known here'}", *lookup.reasons)
    if owner:
        way = _owned(scenario, client, owner, target.port, target.protocol)
        return replace(way, steps=(*steps, *way.steps))
    outcome = lookup.reading.outcome if lookup.reading else None
    if outcome in (Outcome.DNS_TIMEOUT, Outcome.DNS_REFUSED):
        return Way(
            (), steps, "without an answer to its lookup the pod connects to nobody", Verdict.DENY
        )
    why = "there is no such name" if outcome is Outcome.DNS_NXDOMAIN else "nobody is known there"
    return Way((), steps, f"{why}, so there is no flow that policies could decide about")


def _beyond(
    scenario: Scenario, client: Pod | External, target: NamePort, steps: tuple[str, ...]
) -> Way:
    """The flow to a name of which only name servers outside know whether it exists."""
    name = target.name.removesuffix(".")
    flows = (Flow(client, External(name, None), target.port, target.protocol),)
    there = "has an IPv4 address outside of the cluster"
    if named_in(scenario.policies, name):
        return Way(flows, steps, assumed=(f"{name} exists, for a policy names it, and {there}",))
    unsure = (
        f"there is no such name in the cluster, and nothing here tells whether {name} exists "
        "outside; if it does not, there is no flow"
    )
    return Way(flows, steps, unsure=unsure, assumed=(f"if {name} exists, it {there}",))


def _owned(
    scenario: Scenario, client: Pod | External, owner: Owner, port: int, protocol: Protocol
) -> Way:
    if isinstance(owner, Service):
        return _through(scenario, client, owner, port, protocol)
    ends = ", ".join(map(str, owner))
    many = f"the name has several addresses, those of {ends}; the program chooses"
    step = f"the name has the address of {ends}" if len(owner) == 1 else many
    return Way(tuple(Flow(client, end, port, protocol) for end in owner), (step,))


def _through(
    scenario: Scenario, client: Pod | External, service: Service, port: int, protocol: Protocol
) -> Way:
    """The flows behind a Service (https://kubernetes.io/docs/concepts/services-networking/service/)."""
    if service.external_name:
        return _aliased(scenario, client, service, port, protocol)
    way = _behind(scenario, client, service, port, protocol)
    if service.publishes_unready or not any(isinstance(f.target, Pod) for f in way.flows):
        return way
    ready = f"every pod behind the Service {service} is ready, unless its status denies it"
    return replace(way, assumed=(ready,))


def _aliased(
    scenario: Scenario, client: Pod | External, service: Service, port: int, protocol: Protocol
) -> Way:
    """The flows to what a Service is another name for, if that is in the cluster."""
    steps: list[str] = []
    owner: Owner = service
    while isinstance(owner, Service) and owner.external_name and len(steps) < MAX_ALIASES:
        name = owner.external_name
        steps.append(f"the Service {owner} is only another name for {name}")
        owner = () if is_outside(name) else owner_of(name, scenario.topology)
    if isinstance(owner, Service) and owner.external_name:
        return Way((), tuple(steps), "these names lead to each other, and to nobody")
    if not owner:
        return Way(because=f"{'; '.join(steps)}; ask for name/{name}:{port} instead")
    way = _owned(scenario, client, owner, port, protocol)
    return replace(way, steps=(*steps, *way.steps))


def _behind(
    scenario: Scenario, client: Pod | External, service: Service, port: int, protocol: Protocol
) -> Way:
    backends = scenario.topology.behind(service)
    if service.headless:
        step = f"the Service {service} is headless: clients reach its pods' own addresses and ports"
        others = dict.fromkeys(end_at(e, scenario.topology) for e in service.endpoints)
        reached = tuple(Flow(client, end, port, protocol) for end in (*backends, *others))
        return Way(reached, (step,), "" if reached else _nobody(scenario, service))
    entry = next((p for p in service.ports if (p.port, p.protocol) == (port, protocol)), None)
    if entry is None:
        has = ", ".join(f"{p.protocol} {p.port}" for p in service.ports) or "none"
        why = f"the Service {service} has no port {protocol} {port} (it has: {has})"
        return Way(because=f"{why}; the API leaves open what answers there")
    flows = [*_to_pods(client, backends, entry), *_to_endpoints(scenario, client, service, entry)]
    if not flows:
        return Way(because=_nobody(scenario, service))
    ends = ", ".join(f"{flow.target}:{flow.port}" for flow in flows)
    step = f"the Service {service} hands {protocol} {port} on to {ends}; policies see that flow"
    before = None
    if service.cluster_ip and any(isinstance(flow.target, External) for flow in flows):
        before = Flow(client, External(str(service), service.cluster_ip), port, protocol)
    masked = (
        tuple(replace(flow, source=External("a node", None)) for flow in flows)
        if isinstance(client, External)
        else ()
    )
    return Way(tuple(flows), (step,), before=before, masked=masked)


def _nobody(scenario: Scenario, service: Service) -> str:
    unready = any(service.selects(pod) and not pod.ready for pod in scenario.topology.pods.values())
    what = "no pod that is ready is" if unready else "no pod is"
    return f"{what} behind the Service {service}, so nobody can be reached"


def _to_pods(client: Pod | External, backends: Iterable[Pod], entry: ServicePort) -> list[Flow]:
    ends = ((pod, entry.at(pod)) for pod in backends)
    return [
        Flow(client, pod, port, entry.protocol, translated=True)
        for pod, port in ends
        if port is not None
    ]


def _to_endpoints(
    scenario: Scenario, client: Pod | External, service: Service, entry: ServicePort
) -> list[Flow]:
    """The flows to the addresses that stand behind a Service without a selector."""
    chosen = (e for e in service.endpoints if e.name == entry.name and e.protocol is entry.protocol)
    return [Flow(client, end_at(e, scenario.topology), e.port, e.protocol) for e in chosen]
