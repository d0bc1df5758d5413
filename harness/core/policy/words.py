"""Rules and peers in words, for people who do not read selectors fluently."""

from __future__ import annotations

from harness.core.model import (
    Entity,
    External,
    IPBlock,
    Operator,
    Peer,
    Pod,
    PortRule,
    Protocol,
    Requirement,
    Rule,
    Selector,
    ServiceRef,
)
from harness.core.target.ask import Flow


def who(end: Pod | External) -> str:
    """An end of a flow: a pod with the labels by which policies know it."""
    if isinstance(end, External):
        return f"{end.name}, outside of the cluster"
    labels = ",".join(f"{key}={value}" for key, value in sorted(end.labels.items()))
    return f"{end} ({labels or 'no labels'})"


def port_words(flow: Flow) -> str:
    """The port of a flow."""
    return "" if flow.protocol is Protocol.ICMP else f" on {flow.protocol} {flow.port}"


def rule_words(rule: Rule) -> str:
    """A rule: whom it lets pass, and on which ports."""
    peers = " or ".join(map(_peer, rule.peers)) or "anyone"
    ports = ", ".join(map(_port, rule.ports)) or "every port"
    return f"{peers}; {ports}{f'; if {rule.proviso}' if rule.proviso else ''}"


_ENTITIES = {
    Entity.ALL: "everyone, in the cluster and outside",
    Entity.WORLD: "all that is outside of the cluster",
    Entity.CLUSTER: "all that is in the cluster",
    Entity.CLUSTER_MESH: "all that is in the mesh of clusters",
    Entity.HOST: "the pod's own node",
    Entity.REMOTE_NODE: "the other nodes",
    Entity.KUBE_APISERVER: "the API server",
    Entity.INGRESS: "Cilium's ingress proxy",
    Entity.HEALTH: "Cilium's health checks",
    Entity.INIT: "pods whose labels are not known yet",
    Entity.UNMANAGED: "pods that Cilium does not manage",
    Entity.NONE: "nobody, for the rule is empty",
}


def _peer(peer: Peer) -> str:
    if peer.ip_block is not None:
        return _block(peer.ip_block)
    if peer.entity is not None:
        return _ENTITIES[peer.entity]
    if peer.fqdn:
        return f"the addresses of {name_words(peer.fqdn)}"
    if peer.service is not None:
        return _services(peer.service)
    if peer.unread:
        return peer.unread
    pods = "pods" if peer.pod_selector is None else selector_words("pods", peer.pod_selector)
    if peer.namespace_selector is None:
        return f"{pods} of its own namespace"
    return f"{pods} in {selector_words('namespaces', peer.namespace_selector)}"


def _services(ref: ServiceRef) -> str:
    home = f" of namespace {ref.namespace}" if ref.namespace else ""
    if ref.selector is not None:
        return f"what is behind {selector_words('Services', ref.selector)}{home}"
    return f"what is behind the Service {ref.name}{home}"


def _block(block: IPBlock) -> str:
    cut = f" but not {', '.join(map(str, block.except_))}" if block.except_ else ""
    outside = " outside of the cluster" if block.outside_only else ""
    return f"addresses in {block.cidr}{cut}{outside}"


def selector_words(things: str, selector: Selector) -> str:
    """Whom a selector selects, among `things`."""
    if not selector.requirements:
        return f"all {things}"
    return f"{things} with {', '.join(map(_requirement, selector.requirements))}"


def _requirement(requirement: Requirement) -> str:
    values = ",".join(sorted(requirement.values))
    match requirement.operator:
        case Operator.IN if len(requirement.values) == 1:
            return f"{requirement.key}={values}"
        case Operator.IN:
            return f"{requirement.key} in ({values})"
        case Operator.NOT_IN:
            return f"{requirement.key} not in ({values})"
        case Operator.EXISTS:
            return requirement.key
        case Operator.DOES_NOT_EXIST:
            return f"no {requirement.key}"


def _port(port: PortRule) -> str:
    protocol = port.protocol or "TCP, UDP and SCTP"
    looked = f" for questions about {' or '.join(map(name_words, port.dns))}" if port.dns else ""
    looked += f" for {' or '.join(port.requests)} only" if port.requests else ""
    if port.protocol is Protocol.ICMP:
        return f"ICMP messages of type {port.port}"
    if port.port is None:
        return f"every {protocol} port{looked}"
    return f"{protocol} {port.port}{f'-{port.end_port}' if port.end_port else ''}{looked}"


def name_words(pattern: str) -> str:
    """A name, or the names that a pattern stands for."""
    return pattern if pattern.strip("*") else "every name"
