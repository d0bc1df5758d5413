"""The rule about ipBlocks that are meant for pods."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_network
from itertools import islice

from harness.core.lint.finding import Finding, Fix, Shown, Sure
from harness.core.lint.ground import MAX_TRIES, Ground
from harness.core.lint.mended import Mended
from harness.core.lint.where import Where
from harness.core.lint.wording import listed, place
from harness.core.model import Direction, IPBlock, Network, NetworkPolicy, Pod
from harness.core.outcome import Verdict
from harness.core.policy.reasons import same
from harness.core.policy.selectors import in_block

POD_NETWORKS = {
    ip_network("10.244.0.0/16"): "kind, kubeadm with flannel, and minikube",
    ip_network("10.42.0.0/16"): "k3s and RKE2",
    ip_network("10.128.0.0/14"): "OpenShift",
    ip_network("10.32.0.0/12"): "Weave Net",
    ip_network("192.168.0.0/16"): "Calico's own manifest",
}
"""Pod networks that installers choose where nothing else is said."""

_SURE_NETWORKS = tuple(POD_NETWORKS)[:2]
"""Networks of which a part is hardly anything else; of the others only the whole counts."""

LEAST_PREFIX = 12
"""A shorter prefix covers far more than pods, and is not written because of them."""


def ip_block_over_pods(ground: Ground) -> Iterator[Finding]:
    """IpBlocks that cover addresses of pods: CNIs differ about whether they mean the pods."""
    for where in ground.rules():
        for count, peer in enumerate(where.rule.peers, 1):
            block = peer.ip_block
            if block is None or block.outside_only or block.cidr.prefixlen < LEAST_PREFIX:
                continue
            found = _finding(ground, where, count, block)
            if found is not None:
                yield found


def _finding(ground: Ground, where: Where, count: int, block: IPBlock) -> Finding | None:
    covered = [p for p in ground.topology.pods.values() if p.ip is not None and in_block(block, p)]
    installers = _installers(block.cidr)
    if not covered and not installers:
        return None
    shown = _shown(ground, where, block, covered)
    if shown is None:
        return None
    spot = ground.written(where.policy).peer(
        where.direction, where.number, count, "ipBlock", "cidr"
    )
    why = (
        f"the address of {listed([str(pod) for pod in covered], 'pods')} is in it"
        if covered
        else f"that is the pod network of {installers}"
    )
    refusing = [p.name for p in ground.profiles if not p.ip_blocks_mean_pods]
    taking = [p.name for p in ground.profiles if p.ip_blocks_mean_pods]
    differ = (
        f": with {' and '.join(taking)} it lets pods pass, and with {' and '.join(refusing)} it "
        "does not"
        if taking and refusing
        else ""
    )
    return Finding(
        "ip-block-over-pods",
        spot,
        Sure.LIKELY,
        f"{place(where)} has the ipBlock {block.cidr}, and {why}. An ipBlock is meant for "
        f"addresses outside of the cluster, and CNIs differ about pods{differ}. Pods also change "
        "their addresses",
        shown,
        Fix(
            "name the pods by their labels: podSelector, and namespaceSelector for other namespaces"
        ),
    )


def _installers(cidr: Network) -> str:
    for network, names in POD_NETWORKS.items():
        if cidr == network or (
            network in _SURE_NETWORKS and cidr.version == network.version and _inside(cidr, network)
        ):
            return names
    return ""


def _inside(inner: Network, outer: Network) -> bool:
    return inner.network_address in outer and inner.broadcast_address in outer


def _shown(ground: Ground, where: Where, block: IPBlock, covered: list[Pod]) -> Shown | None:
    """A flow of a pod at an address of the block, which passes by this rule only.

    A pod whose address is not known is taken to have one of the block.
    """
    after = ground.without(where.policy, _without(where, block))
    address = next(block.cidr.hosts(), block.cidr.network_address)
    unknown = ground.members(ground.own & ground.classes)
    others = [(pod, pod) for pod in covered] or [
        (pod, replace(pod, ip=address))
        for pod in unknown
        if isinstance(pod, Pod) and pod.ip is None and not pod.host_network
    ]
    egress = where.direction is Direction.EGRESS
    tries = (
        ground.flow(where.direction, own, other, port)
        for own in ground.members(ground.selected(where.policy) & ground.classes)
        for pod, other in others
        if not same(own, pod)
        for port in ground.ports(pod if egress else own, where.rule)
    )
    flows = list(islice(tries, MAX_TRIES))
    now, then = Mended(ground.topology, ground.policies).oracle(flows), after.oracle(flows)
    for flow in flows:
        if (now.verdict(flow), then.verdict(flow)) == (Verdict.ALLOW, Verdict.DENY):
            return ground.shown(flow)
    return None


def _without(where: Where, block: IPBlock) -> NetworkPolicy:
    """The policy without this ipBlock, and without the rule where it is the only peer."""
    kept = tuple(peer for peer in where.rule.peers if peer.ip_block != block)
    if kept:
        return where.instead(replace(where.rule, peers=kept))
    rules = where.policy.rules(where.direction)
    left = (*rules[: where.number - 1], *rules[where.number :])
    if where.direction is Direction.EGRESS:
        return replace(where.policy, egress=left)
    return replace(where.policy, ingress=left)
