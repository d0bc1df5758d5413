"""Rules about ports on which nobody listens, and ports of a Service where a pod's port is meant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness.core.lint.finding import Finding, Fix, Shown, Sure
from harness.core.lint.ground import Ground, Port
from harness.core.lint.rules.near import likeness
from harness.core.lint.where import Where
from harness.core.lint.wording import crew, place
from harness.core.model import (
    Direction,
    NetworkPolicy,
    Pod,
    PortRule,
    Protocol,
    Service,
    ServicePort,
)
from harness.core.policy.selectors import Mask

Body = Mapping[str, Any]

PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
SCRAPED = "prometheus.io/port"
"""An annotation by which a pod says on which port it can be scraped."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """An entry of a rule's ports, counted from 1, and the receivers of the rule."""

    where: Where
    count: int
    entry: PortRule
    receivers: Sequence[Pod]

    def instead(self, *ports: PortRule) -> NetworkPolicy:
        """The policy with these entries in its place."""
        found = self.where.rule.ports
        new = (*found[: self.count - 1], *ports, *found[self.count :])
        return self.where.instead(replace(self.where.rule, ports=new))

    @property
    def words(self) -> str:
        """The port as people say it."""
        end = f"-{self.entry.end_port}" if self.entry.end_port else ""
        return f"{self.entry.protocol or 'every protocol,'} {self.entry.port}{end}"


def port_of_service(ground: Ground) -> Iterator[Finding]:
    """Entries with the port of a Service whose pods listen on another one."""
    for entry in _unserved(ground):
        found = _behind_service(ground, entry)
        if found is not None:
            yield found


def port_nobody_listens(ground: Ground) -> Iterator[Finding]:
    """Entries with a port on which no receiver of the rule listens."""
    for entry in _unserved(ground):
        if _behind_service(ground, entry) is None:
            found = _nobody_listens(ground, entry)
            if found is not None:
                yield found


def _unserved(ground: Ground) -> Iterator[_Entry]:
    """The entries whose port no receiver has, where all receivers were read and say their ports."""
    for where in ground.rules():
        receivers = _receivers(ground, where)
        if not receivers or not where.rule.ports:
            continue
        heard = [listening(ground, pod) for pod in receivers]
        if not all(pod.ports or ports for pod, ports in zip(receivers, heard, strict=True)):
            continue
        for count, entry in enumerate(where.rule.ports, 1):
            served = any(
                _serves(entry, pod, ports) for pod, ports in zip(receivers, heard, strict=True)
            )
            if entry.port is not None and not served:
                yield _Entry(where, count, entry, receivers)


def _receivers(ground: Ground, where: Where) -> list[Pod]:
    """The pods at whose ports a rule looks; none if it also looks at ends that were not read."""
    mask: Mask = ground.crowd.selected_by(where.policy)
    if where.direction is Direction.EGRESS:
        mask = ground.peers(where) if mask else 0
    if mask & ~ground.read:
        return []
    found = [end for end in ground.members(mask & ground.classes) if isinstance(end, Pod)]
    return [] if any(pod.host_network for pod in found) else found


def _serves(entry: PortRule, pod: Pod, heard: frozenset[Port]) -> bool:
    if isinstance(entry.port, str):
        names = {port.name for port in pod.ports if entry.protocol in (None, port.protocol)}
        return entry.port in names
    first = entry.port or 0
    return any(
        entry.protocol in (None, protocol) and first <= number <= (entry.end_port or first)
        for number, protocol in heard
    )


def listening(ground: Ground, pod: Pod) -> frozenset[Port]:
    """The ports on which a pod listens, as far as the files tell.

    These are the ports that its containers declare, that Services lead to, that the kubelet probes,
    and the one that it says can be scraped. A container may listen without declaring its port.
    """
    found = {(port.number, port.protocol) for port in pod.ports}
    for service in _services(ground, pod):
        for port in service.ports:
            target = port.at(pod)
            if target is not None and isinstance(port.target, int) and port.target:
                found.add((target, port.protocol))
    resource = ground.resource_of(pod)
    if resource is not None:
        found |= {(number, Protocol.TCP) for number in _checked(_template(resource.body))}
    return frozenset(found)


def _services(ground: Ground, pod: Pod) -> list[Service]:
    return [s for s in ground.topology.services.values() if s.selects(pod)]


def _template(body: Body) -> Body:
    """The part of a workload that describes its pods: their metadata and their spec."""
    spec = body.get("spec") or {}
    if "jobTemplate" in spec:
        spec = (spec["jobTemplate"] or {}).get("spec") or {}
    return spec.get("template") or body


def _checked(template: Body) -> Iterator[int]:
    """The ports that the kubelet or a scraper asks."""
    annotations = (template.get("metadata") or {}).get("annotations") or {}
    scraped = str(annotations.get(SCRAPED) or "")
    if scraped.isdigit():
        yield int(scraped)
    spec = template.get("spec") or {}
    for container in (*(spec.get("initContainers") or ()), *(spec.get("containers") or ())):
        for name in PROBES:
            for way in ("httpGet", "tcpSocket", "grpc"):
                port = ((container.get(name) or {}).get(way) or {}).get("port")
                if isinstance(port, int):
                    yield port


def _behind_service(ground: Ground, entry: _Entry) -> Finding | None:
    for pod in entry.receivers:
        for service in _services(ground, pod):
            for port in service.ports:
                target = port.at(pod)
                if target is not None and _is_of_service(entry.entry, port):
                    found = _service_finding(ground, entry, service, (port, target))
                    if found is not None:
                        return found
    return None


def _is_of_service(entry: PortRule, port: ServicePort) -> bool:
    if entry.protocol not in (None, port.protocol):
        return False
    return entry.port in (port.port, port.name) and entry.end_port is None


def _service_finding(
    ground: Ground, entry: _Entry, service: Service, way: tuple[ServicePort, int]
) -> Finding | None:
    """`way` is the port of the Service, and the port of the pod to which it leads."""
    port, target = way
    # As the policy would call it: by its name, if the Service does the same.
    new = PortRule(port.protocol, port.target if isinstance(port.target, str) else target)
    shown = _opened(ground, entry, [(target, port.protocol)], new)
    if shown is None:
        return None
    where = entry.where
    return Finding(
        "service-port",
        ground.written(where.policy).port(where.direction, where.number, entry.count),
        Sure.LIKELY,
        f"{place(where)} has port {entry.entry.port}, which is a port of the Service {service}. A "
        f"policy sees the packets at the pod, where the Service has sent them to port {target}, "
        f"and nobody among {crew(ground, ground.mask(entry.receivers))} listens on port "
        f"{entry.entry.port}",
        shown,
        Fix(f"write `port: {new.port}`, the pod's own port"),
    )


def _nobody_listens(ground: Ground, entry: _Entry) -> Finding | None:
    where = entry.where
    served = {port for pod in entry.receivers for port in listening(ground, pod)}
    spoken = entry.entry.protocol
    nearest = sorted(
        served,
        key=lambda port: (spoken not in (None, port[1]), -_alike(entry, port), port),
    )
    listens = ", ".join(_port_words(entry, port) for port in sorted(served))
    what = (
        f"{place(where)} has port {entry.words}, and nobody among "
        f"{crew(ground, ground.mask(entry.receivers))} listens there; the ports that are known are "
        f"{listens}"
    )
    spot = ground.written(where.policy).port(where.direction, where.number, entry.count)
    for port in nearest:
        new = PortRule(port[1], port[0])
        shown = _opened(ground, entry, [port], new)
        if shown is not None:
            alone = len(where.rule.ports) == 1 and not _is_opened_elsewhere(ground, entry, served)
            named = isinstance(entry.entry.port, str)
            return Finding(
                "port-nobody-listens",
                spot,
                Sure.LIKELY if alone or named else Sure.POSSIBLE,
                what,
                shown,
                Fix(
                    f"write `{{protocol: {port[1]}, port: {port[0]}}}`, or declare the port in the "
                    "container"
                ),
            )
    return None


def _port_words(entry: _Entry, port: Port) -> str:
    names = {
        p.name for pod in entry.receivers for p in pod.ports if (p.number, p.protocol) == port
    } - {""}
    called = f" ({', '.join(sorted(names))})" if names else ""
    return f"{port[1]} {port[0]}{called}"


def _alike(entry: _Entry, port: Port) -> float:
    """How much a served port looks like the entry's; of names, the name that the pods give it."""
    if isinstance(entry.entry.port, str):
        names = [
            p.name for pod in entry.receivers for p in pod.ports if (p.number, p.protocol) == port
        ]
        return max((likeness(entry.entry.port, name) for name in names), default=0.0)
    return likeness(str(entry.entry.port), str(port[0]))


def _is_opened_elsewhere(ground: Ground, entry: _Entry, served: Iterable[Port]) -> bool:
    """Whether other rules of this direction let somebody reach the ports on which they listen.

    Then the main door is open, and the entry may mean a port that no container declares.
    """
    where = entry.where
    own = ground.selected(where.policy)
    for other in ground.rules():
        if other.direction is not where.direction or other.rule is where.rule:
            continue
        if not ground.crowd.selected_by(other.policy) & own:
            continue
        for pod in entry.receivers:
            bit = ground.crowd.bit(pod)
            reached = bit if where.direction is Direction.INGRESS else bit & ground.peers(other)
            if reached and any(
                ground.crowd.receivers(other.rule.ports, *port) & bit for port in served
            ):
                return True
    return False


def _opened(ground: Ground, entry: _Entry, ports: Sequence[Port], new: PortRule) -> Shown | None:
    """A flow to one of these ports that the rule's own end closes now, and opens with the entry."""
    where = entry.where
    after = ground.without(where.policy, entry.instead(new))
    others = ground.peers(where)
    own = ground.selected(where.policy)
    flows = [
        flow
        for flow in ground.flows(where, own, others, spread=True)
        if (flow.port, flow.protocol) in ports
    ]
    return ground.flip_of_side(flows, after, where.direction)
