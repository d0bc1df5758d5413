"""Rules and peers in words, for people who do not read selectors fluently."""

from __future__ import annotations

from harness.core.model import (
    External,
    Flow,
    IPBlock,
    Operator,
    Peer,
    Pod,
    PortRule,
    Protocol,
    Requirement,
    Rule,
    Selector,
)


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
    return f"{peers}; {ports}"


def _peer(peer: Peer) -> str:
    if peer.ip_block is not None:
        return _block(peer.ip_block)
    pods = "pods" if peer.pod_selector is None else _selector("pods", peer.pod_selector)
    if peer.namespace_selector is None:
        return f"{pods} of its own namespace"
    return f"{pods} in {_selector('namespaces', peer.namespace_selector)}"


def _block(block: IPBlock) -> str:
    cut = f" but not {', '.join(map(str, block.except_))}" if block.except_ else ""
    return f"addresses in {block.cidr}{cut}"


def _selector(things: str, selector: Selector) -> str:
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
    if port.port is None:
        return f"every {port.protocol} port"
    return f"{port.protocol} {port.port}" + (f"-{port.end_port}" if port.end_port else "")
