"""Rules about policyTypes, and about namespaces that do not deny by default."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from harness.core.lint.finding import Finding, Fix, Shown, Spot, Sure
from harness.core.lint.ground import MAX_TRIES, Ground
from harness.core.lint.places import spot_of
from harness.core.lint.where import Where
from harness.core.lint.wording import crew, listed
from harness.core.model import (
    NETWORK_POLICY,
    Direction,
    External,
    NetworkPolicy,
    Pod,
    Rule,
    Selector,
)
from harness.core.outcome import Verdict
from harness.core.policy.render import to_yaml
from harness.core.policy.selectors import Mask
from harness.core.target.ask import Flow

_DENIES_ALL = re.compile(r"default-?deny|deny-?(all|any|every|by-default)|zero-?trust|lock-?down")
_ONE_WAY = re.compile(r"ingress|egress|inbound|outbound|incoming|outgoing|\b(in|out|from|to)\b")
_SYSTEM = re.compile(r"kube-.*")
"""Namespaces of the cluster itself, which people rarely close."""


def policy_types_omit(ground: Ground) -> Iterator[Finding]:
    """Rules of a direction that policyTypes leaves out: the API ignores them, some CNIs do not."""
    enforcing = [profile.name for profile in ground.profiles if not profile.ignores_rules_left_out]
    for policy in ground.policies:
        for direction in Direction:
            if policy.kind == NETWORK_POLICY and _leaves_out(policy, direction):
                yield _omitted(ground, policy, direction, enforcing)


def _leaves_out(policy: NetworkPolicy, direction: Direction) -> bool:
    return direction not in policy.policy_types and bool(policy.rules(direction))


def _omitted(
    ground: Ground, policy: NetworkPolicy, direction: Direction, enforcing: list[str]
) -> Finding:
    other = replace(policy, policy_types=policy.policy_types | {direction})
    where = Where(policy, direction, 0, Rule())
    flows = ground.flows(where, ground.selected(policy), ground.crowd.everyone, spread=True)
    mended = ground.without(policy, other)
    shown = ground.flip(flows, mended, Verdict.ALLOW, Verdict.DENY) or ground.flip(
        flows, mended, Verdict.DENY, Verdict.ALLOW
    )
    types = ", ".join(sorted(policy.policy_types))
    differ = f", and {' and '.join(enforcing)} enforces them all the same" if enforcing else ""
    none = "" if shown else ". No flow of the pods that were read hangs on them"
    return Finding(
        "policy-types",
        ground.written(policy).at(direction.lower()),
        Sure.CERTAIN,
        f"policyTypes of {policy} is [{types}], so the API ignores its {direction.lower()} rules"
        f"{differ}{none}",
        shown,
        Fix(
            f"add {direction} to policyTypes if the rules are meant, else remove the rules: with "
            f"{direction} in policyTypes, all other {direction.lower()} traffic is closed"
        ),
    )


def policy_types_defaulted(ground: Ground) -> Iterator[Finding]:
    """Policies without policyTypes that close ingress by the way, or leave egress open."""
    for policy in ground.policies:
        body = ground.written(policy).body
        if policy.kind != NETWORK_POLICY or body.get("policyTypes"):
            continue
        if policy.egress and "ingress" not in body:
            found = _closed_by_the_way(ground, policy)
        elif policy.ingress and "egress" not in body:
            found = _left_open(ground, policy)
        else:
            continue
        if found is not None:
            yield found


def _closed_by_the_way(ground: Ground, policy: NetworkPolicy) -> Finding | None:
    own = ground.selected(policy) & ground.read
    where = Where(policy, Direction.INGRESS, 0, Rule())
    flows = ground.flows(where, own, ground.crowd.everyone, spread=True)
    listening = [f for f in flows if isinstance(f.target, Pod) and f.target.ports]
    mended = replace(policy, policy_types=frozenset({Direction.EGRESS}))
    shown = ground.flip(listening, ground.without(policy, mended), Verdict.DENY, Verdict.ALLOW)
    if shown is None:
        return None
    return Finding(
        "policy-types-defaulted",
        ground.written(policy).at("policyTypes"),
        Sure.LIKELY,
        f"{policy} has egress rules and no policyTypes. Then Ingress is one of them too, and "
        f"without an ingress rule nobody reaches {crew(ground, own)}",
        shown,
        Fix("write `policyTypes: [Egress]`", "policyTypes: [Egress]\n"),
    )


def _left_open(ground: Ground, policy: NetworkPolicy) -> Finding | None:
    own = ground.selected(policy) & ground.read
    where = Where(policy, Direction.EGRESS, 0, Rule())
    flows = ground.flows(where, own, ground.crowd.everyone, spread=True)
    mended = replace(policy, policy_types=frozenset(Direction))
    shown = ground.flip(flows, ground.without(policy, mended), Verdict.ALLOW, Verdict.DENY)
    if shown is None:
        return None
    return Finding(
        "policy-types-defaulted",
        ground.written(policy).at("policyTypes"),
        Sure.POSSIBLE,
        f"{policy} has ingress rules and no policyTypes, so it is for ingress only: "
        f"{crew(ground, own)} may send whatever other policies do not close",
        shown,
        Fix(
            "write `policyTypes: [Ingress]` if that is meant; with Egress among them, all egress "
            "is closed that no rule opens",
            "policyTypes: [Ingress]\n",
        ),
    )


# Default deny


def default_deny_missing(ground: Ground) -> Iterator[Finding]:
    """Namespaces with pods that no policy isolates.

    That is likely a fault if no policy isolates any of them, and another namespace denies by
    default; it is possibly one if policies isolate other pods of the namespace.
    """
    isolated = ground.isolated(Direction.INGRESS) | ground.isolated(Direction.EGRESS)
    denying = {way: [p.namespace for p in _denying(ground, way)] for way in Direction}
    for name, pods in _spaces(ground).items():
        if not pods & isolated:
            found = _undenied(ground, name, pods, denying)
        else:
            found = _some_undenied(ground, name, pods & ~isolated)
        if found is not None:
            yield found


def _undenied(
    ground: Ground, name: str, pods: Mask, denying: Mapping[Direction, Sequence[str]]
) -> Finding | None:
    ways = [way for way in Direction if denying[way]]
    others = sorted({other for way in ways for other in denying[way]})
    traffic = " and ".join(way.lower() for way in ways)
    listens = any(isinstance(pod, Pod) and pod.ports for pod in ground.members(pods))
    return _missing(
        ground,
        (name, pods),
        ways,
        Sure.LIKELY if listens else Sure.POSSIBLE,
        f"No policy selects a pod of the namespace {name}, so all {traffic} of "
        f"{crew(ground, pods)} passes. A policy denies {traffic} by default in "
        f"{listed(others, 'namespaces')}, but a policy acts in its own namespace only",
    )


def _some_undenied(ground: Ground, name: str, pods: Mask) -> Finding | None:
    return _missing(
        ground,
        (name, pods),
        list(Direction),
        Sure.POSSIBLE,
        f"Policies select other pods of the namespace {name}, but no policy selects "
        f"{crew(ground, pods)}, whose ingress and egress passes",
    )


def _missing(
    ground: Ground, where: tuple[str, Mask], ways: Sequence[Direction], sure: Sure, what: str
) -> Finding | None:
    name, pods = where
    deny = NetworkPolicy(name, "default-deny", Selector(), frozenset(ways))
    shown = _closed_by(ground, deny, ways, pods) if pods and ways else None
    if shown is None:
        return None
    return Finding(
        "default-deny-missing",
        _declared_at(ground, name, pods),
        sure,
        what,
        shown,
        Fix(
            "deny by default in this namespace, and open the flows that it needs:",
            to_yaml(deny),
        ),
    )


def _denying(ground: Ground, way: Direction) -> list[NetworkPolicy]:
    """The policies that deny a direction for a whole namespace and have no rule for it."""
    return [
        policy
        for policy in ground.policies
        if way in policy.policy_types - policy.adds_only
        and not policy.pod_selector.requirements
        and not policy.rules(way)
    ]


def _spaces(ground: Ground) -> Mapping[str, Mask]:
    """The pods that were read, by their namespace; pods on the host network are left out."""
    found: dict[str, Mask] = {}
    for end in ground.members(ground.read):
        if isinstance(end, Pod) and not end.host_network and not _SYSTEM.fullmatch(end.namespace):
            found[end.namespace] = found.get(end.namespace, 0) | ground.crowd.bit(end)
    return found


def _declared_at(ground: Ground, name: str, pods: Mask) -> Spot:
    for resource in ground.resources:
        if (resource.kind, resource.name) == ("Namespace", name):
            return spot_of(resource, ("metadata", "name"))
    pod = next(end for end in ground.members(pods) if isinstance(end, Pod))
    resource_of = ground.resource_of(pod)
    assert resource_of is not None  # noqa: S101 - these pods were read
    return spot_of(resource_of, ("metadata", "namespace"))


def _closed_by(
    ground: Ground, deny: NetworkPolicy, ways: Sequence[Direction], pods: Mask
) -> Shown | None:
    """A flow that passes now, and that default deny would close."""
    flows = [flow for way in ways for flow in _any_flows(ground, deny, way, pods)]
    return ground.flip(flows, ground.having(deny), Verdict.ALLOW, Verdict.DENY)


def _any_flows(ground: Ground, policy: NetworkPolicy, way: Direction, pods: Mask) -> list[Flow]:
    where = Where(policy, way, 0, Rule())
    others = ground.read | ~ground.crowd.pods & ground.crowd.everyone
    flows = ground.flows(where, pods, others, spread=True)[:MAX_TRIES]
    listens = [f for f in flows if isinstance(f.target, External) or f.target.ports]
    return listens or flows


def default_deny_one_way(ground: Ground) -> Iterator[Finding]:
    """A policy that isolates a whole namespace for one direction, while the other one is open."""
    denying = {way: {p.namespace for p in _denying(ground, way)} for way in Direction}
    both_elsewhere = denying[Direction.INGRESS] & denying[Direction.EGRESS]
    for closed in Direction:
        (open_way,) = set(Direction) - {closed}
        for policy in _denying(ground, closed):
            left = ground.selected(policy) & ~ground.isolated(open_way)
            native = policy.kind == NETWORK_POLICY and policy.policy_types == {closed}
            if left and native and not policy.rules(open_way):
                sure = Sure.LIKELY if both_elsewhere or _claims_all(policy) else Sure.POSSIBLE
                found = _one_way(ground, policy, open_way, left, sure)
                if found is not None:
                    yield found


def _claims_all(policy: NetworkPolicy) -> bool:
    """Whether the name of a policy says that it denies by default, or all, in no one direction."""
    return bool(_DENIES_ALL.search(policy.name)) and not _ONE_WAY.search(policy.name)


def _one_way(
    ground: Ground, policy: NetworkPolicy, open_way: Direction, left: Mask, sure: Sure
) -> Finding | None:
    both = replace(policy, policy_types=frozenset(Direction))
    flows = _any_flows(ground, policy, open_way, left)
    shown = ground.flip(flows, ground.without(policy, both), Verdict.ALLOW, Verdict.DENY)
    if shown is None:
        return None
    written = ground.written(policy)
    types = written.body.get("policyTypes")
    (closed,) = policy.policy_types
    why = "" if types else " (a policy without policyTypes and egress rules is for ingress only)"
    return Finding(
        "default-deny-one-way",
        written.at("policyTypes") if types else written.at(),
        sure,
        f"{policy} denies {closed.lower()} only{why}: the {open_way.lower()} of "
        f"{crew(ground, left)} is as open as without a policy",
        shown,
        Fix("write `policyTypes: [Ingress, Egress]`", "policyTypes: [Ingress, Egress]\n"),
    )
