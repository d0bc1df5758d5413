"""Pods that stand in for those that no file has: two for each selector that is aimed at them.

People often keep policies and workloads apart. A namespace of which no pod was read gets pods made
of the selectors that are aimed at it. Each bears as many of the other selectors' labels as fit, so
that it gets all that any policy could give it: what is closed to a stand-in is closed to every pod.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from harness.core.model import (
    Namespace,
    NetworkPolicy,
    Operator,
    Peer,
    Pod,
    Selector,
)
from harness.core.policy.selectors import NAME_LABEL, selects

MAX_STAND_INS = 200
"""Of all namespaces together: more selectors than this tell nothing new."""

ANY_VALUE = "any"
BYSTANDER = "another-pod"
"""The name of a stand-in without labels: whoever else is in that namespace."""


def namespaces_named(policies: Iterable[NetworkPolicy]) -> Iterator[str]:
    """The namespaces of the policies, and those that their peers call by name."""
    for policy in policies:
        if policy.namespace:
            yield policy.namespace
        for rule in (*policy.ingress, *policy.egress):
            for peer in rule.peers:
                if peer.namespace_selector is not None:
                    yield from _named(peer.namespace_selector)


def _named(selector: Selector) -> Iterator[str]:
    for requirement in selector.requirements:
        if requirement.key == NAME_LABEL and requirement.operator is Operator.IN:
            yield from sorted(requirement.values)


def stand_ins(
    space: Namespace, policies: Sequence[NetworkPolicy], spared: Sequence[Peer] = ()
) -> tuple[list[Pod], Pod]:
    """The pods that policies of a namespace select or name there, and one more without labels.

    `spared` are peers that get no pod: whether somebody answers to them is known.
    """
    aimed = list(dict.fromkeys(_aimed(space, policies, spared)))
    pods = []
    for selector in aimed[:MAX_STAND_INS]:
        labels = _generous(selector, aimed)
        if labels is not None:
            name = name_for(selector)
            # Each has a twin, for pods of one selector may talk to each other.
            pods += [Pod(space.name, one, labels) for one in (name, f"{name}-2")]
    return pods, Pod(space.name, BYSTANDER, {})


def pod_for(namespace: str, selector: Selector) -> Pod | None:
    """A pod with the fewest labels that a selector asks for; None if it picks nobody."""
    labels = fewest_labels(selector)
    return Pod(namespace, name_for(selector), labels) if selects(selector, labels) else None


def name_for(selector: Selector) -> str:
    """The name of a pod that stands in for those of a selector."""
    own = sorted(fewest_labels(selector).items())
    name = "-and-".join(f"{key}={value}" for key, value in own)
    return f"a-pod-with-{name}" if name else "a-pod"


def _aimed(
    space: Namespace, policies: Sequence[NetworkPolicy], spared: Sequence[Peer]
) -> Iterator[Selector]:
    for policy in policies:
        own = policy.namespace in ("", space.name)
        if own:
            yield policy.pod_selector
        for rule in (*policy.ingress, *policy.egress):
            for peer in rule.peers:
                if any(peer is one for one in spared):
                    continue
                if peer.namespace_selector is None:
                    if own and peer.pod_selector is not None:
                        yield peer.pod_selector
                elif selects(peer.namespace_selector, space.labels):
                    yield peer.pod_selector or Selector()


def fewest_labels(selector: Selector) -> dict[str, str]:
    """The fewest labels that a selector asks for; those that it forbids are simply not there."""
    found = {}
    for requirement in selector.requirements:
        if requirement.operator is Operator.IN:
            found[requirement.key] = min(requirement.values)
        elif requirement.operator is Operator.EXISTS:
            found.setdefault(requirement.key, ANY_VALUE)
    return found


def _generous(selector: Selector, others: Sequence[Selector]) -> dict[str, str] | None:
    """Labels that a selector picks and, of the others, as many as fit; None if it picks nobody."""
    labels = fewest_labels(selector)
    if not selects(selector, labels):
        return None
    forbidding = [selector] if _forbids(selector) else []
    for other in others[:MAX_STAND_INS]:
        # A label that is there stays, so only what forbids labels could fit no longer.
        more = {**fewest_labels(other), **labels}
        if selects(other, more) and all(selects(one, more) for one in forbidding):
            labels = more
            forbidding += [other] if _forbids(other) else []
    return labels


def _forbids(selector: Selector) -> bool:
    taking = (Operator.IN, Operator.EXISTS)
    return any(requirement.operator not in taking for requirement in selector.requirements)
