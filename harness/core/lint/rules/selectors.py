"""The rule about policies whose podSelector picks no pod."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from harness.core.lint.finding import Finding, Fix, Shown, Sure
from harness.core.lint.ground import SYSTEM, Ground
from harness.core.lint.places import spot_of
from harness.core.lint.rules.near import nearest_label
from harness.core.lint.where import Where
from harness.core.lint.wording import label, labels
from harness.core.manifests.reader import Resource
from harness.core.model import (
    Labels,
    NetworkPolicy,
    Operator,
    Pod,
    Requirement,
    Rule,
    Selector,
)
from harness.core.outcome import Verdict
from harness.core.policy.selectors import Mask, selects

WORKLOADS = frozenset(
    {
        "Deployment",
        "ReplicaSet",
        "StatefulSet",
        "DaemonSet",
        "Job",
        "CronJob",
        "ReplicationController",
    }
)
RULE = "selects-nobody"


def policy_selects_nobody(ground: Ground) -> Iterator[Finding]:
    """Policies that select no pod, in namespaces of which the pods were read."""
    for policy in ground.policies:
        found = _policy_selects_nobody(ground, policy)
        if found is not None:
            yield found


@dataclass(frozen=True, slots=True)
class _Meant:
    """Whom a policy was perhaps meant for: how it is mended, and why that is likely."""

    policy: NetworkPolicy
    pods: Sequence[Pod]
    why: str
    fix: str


def _policy_selects_nobody(ground: Ground, policy: NetworkPolicy) -> Finding | None:
    if ground.crowd.selected_by(policy) & ground.read:
        return None
    written = ground.written(policy)
    stated = written.resource.place.parts and _states_namespace(written.resource)
    if policy.namespace not in ground.known and (stated or not ground.known):
        return None
    meant = _meant(ground, policy)
    what = f"{policy} selects no pod of the namespace {policy.namespace}, so it decides nothing"
    if meant is None:
        if not policy.pod_selector.requirements or policy.namespace not in ground.known:
            return None
        return Finding(
            RULE,
            written.selector(),
            Sure.POSSIBLE,
            f"{what}. No pod that was read bears labels like these",
            None,
            Fix("give the pods these labels, or remove the policy"),
        )
    shown = _flip_of_policy(ground, policy, meant)
    moved = policy.namespace != meant.policy.namespace
    spot = spot_of(written.resource, ("metadata", "namespace")) if moved else written.selector()
    return Finding(
        RULE,
        spot,
        Sure.LIKELY if shown else Sure.POSSIBLE,
        f"{what}. {meant.why}",
        shown,
        Fix(meant.fix),
    )


def _states_namespace(resource: Resource) -> bool:
    meta = resource.place.parts.get("metadata")
    return meta is not None and "namespace" in meta.parts


def _meant(ground: Ground, policy: NetworkPolicy) -> _Meant | None:
    selector = policy.pod_selector
    there = [pod for pod in _pods(ground, ground.read) if pod.namespace == policy.namespace]
    if mislabelled := _workload_itself(ground, policy):
        resource, pods = mislabelled
        own = Selector(
            tuple(
                Requirement(key, Operator.IN, frozenset({value}))
                for key, value in sorted(_common(pods).items())
            )
        )
        return _Meant(
            replace(policy, pod_selector=own),
            pods,
            f"The {resource.kind} {resource.name} bears these labels itself, but a policy selects "
            f"pods, and its pods bear {labels(pods[0].labels)}",
            f"select the labels of the template of {resource.name}: {labels(_common(pods))}",
        )
    if near := nearest_label(selector, (pod.labels for pod in there)):
        mended = near.mended(selector)
        pods = [pod for pod in there if selects(mended, pod.labels)]
        return _Meant(
            replace(policy, pod_selector=mended),
            pods,
            f"The selector asks for {label(near.old)}, and {pods[0]} bears {label(near.new)}",
            f"write {label(near.new)} for {label(near.old)}",
        )
    elsewhere = [
        pod
        for pod in _pods(ground, ground.read)
        if pod.namespace != policy.namespace and selects(selector, pod.labels)
    ]
    spaces = {pod.namespace for pod in elsewhere}
    if len(spaces) == 1 and SYSTEM not in spaces:
        (space,) = spaces
        states = _states_namespace(ground.written(policy).resource)
        default = "" if states else " (the manifest states no namespace)"
        return _Meant(
            replace(policy, namespace=space),
            elsewhere,
            f"A policy acts in its own namespace only{default}, and {elsewhere[0]}, which bears "
            f"these labels, is in the namespace {space}",
            f"write `namespace: {space}` in the policy's metadata",
        )
    return None


def _workload_itself(ground: Ground, policy: NetworkPolicy) -> tuple[Resource, list[Pod]] | None:
    """A workload of the namespace whose own labels the policy asks for, and its pods."""
    if not policy.pod_selector.requirements:
        return None
    for resource in ground.resources:
        own = (resource.body.get("metadata") or {}).get("labels") or {}
        pods = [model for model in resource.models if isinstance(model, Pod)]
        if (
            resource.kind in WORKLOADS
            and resource.namespace == policy.namespace
            and pods
            and selects(policy.pod_selector, own)
        ):
            return resource, pods
    return None


def _common(pods: Sequence[Pod]) -> Labels:
    """The labels that all of them bear."""
    shared = set(pods[0].labels.items())
    for pod in pods[1:]:
        shared &= set(pod.labels.items())
    return dict(shared)


def _pods(ground: Ground, mask: Mask) -> list[Pod]:
    return [end for end in ground.members(mask) if isinstance(end, Pod)]


def _flip_of_policy(ground: Ground, policy: NetworkPolicy, meant: _Meant) -> Shown | None:
    """A flow of a pod that was perhaps meant, which the mended policy would decide otherwise."""
    mended = ground.without(policy, meant.policy)
    own = ground.mask(meant.pods)
    flips = [(Verdict.ALLOW, Verdict.DENY), (Verdict.DENY, Verdict.ALLOW)]
    opens = policy.ingress or policy.egress
    for now, then in reversed(flips) if opens else flips:
        for direction in sorted(policy.policy_types):
            where = Where(meant.policy, direction, 0, Rule())
            flows = ground.flows(where, own, ground.crowd.everyone, spread=True)
            if shown := ground.flip(flows, mended, now, then):
                return shown
    return None
