"""Pods that stand in for those that no file has: one for each selector that is aimed at them.

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
    aimed.sort(key=lambda selector: not selector.requirements)  # those with labels give the names
    found: dict[tuple[tuple[str, str], ...], Pod] = {}
    for selector in aimed[:MAX_STAND_INS]:
        labels = _generous(selector, aimed)
        if labels is not None:
            key = tuple(sorted(labels.items()))
            own = sorted(_labels(selector).items())
            name = "-and-".join(f"{key}={value}" for key, value in own)
            pod = Pod(space.name, f"a-pod-with-{name}" if name else "a-pod", labels)
            found.setdefault(key, pod)
    return list(found.values()), Pod(space.name, BYSTANDER, {})


def _aimed(
    space: Namespace, policies: Sequence[NetworkPolicy], spared: Sequence[Peer]
) -> Iterator[Selector]:
    for policy in policies:
        own = policy.namespace == space.name
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


def _labels(selector: Selector) -> dict[str, str]:
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
    labels = _labels(selector)
    if not selects(selector, labels):
        return None
    forbidding = [selector] if _forbids(selector) else []
    for other in others[:MAX_STAND_INS]:
        # A label that is there stays, so only what forbids labels could fit no longer.
        more = {**_labels(other), **labels}
        if selects(other, more) and all(selects(one, more) for one in forbidding):
            labels = more
            forbidding += [other] if _forbids(other) else []
    return labels


def _forbids(selector: Selector) -> bool:
    taking = (Operator.IN, Operator.EXISTS)
    return any(requirement.operator not in taking for requirement in selector.requirements)
