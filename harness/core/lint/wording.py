"""Words that the findings share."""

from __future__ import annotations

from collections.abc import Sequence

from harness.core.lint.ground import Ground
from harness.core.lint.where import Where
from harness.core.model import Labels, NetworkPolicy, Operator, Pod, Requirement, Selector
from harness.core.policy.selectors import Mask

SHOWN = 2
"""Names that are written out; of more, the number follows."""


def crew(ground: Ground, mask: Mask) -> str:
    """The pods of a set: the names of a few, or the first of them and how many more there are."""
    return listed([str(end) for end in ground.members(mask)], "pods")


def selected(ground: Ground, policy: NetworkPolicy) -> str:
    """The pods of a policy; where none of them was read, what they have in common."""
    mask = ground.selected(policy)
    if mask & ground.read:
        return crew(ground, mask & ground.read)
    return f"each {_alike(policy.pod_selector)} of {policy.namespace}"


def picked(ground: Ground, where: Where, mask: Mask) -> str:
    """The ends that a rule lets pass; where none of them was read, what they have in common."""
    if mask & ~ground.mask(ground.made_up.values()):
        return crew(ground, mask & ~ground.mask(ground.made_up.values()))
    chosen = {_alike(peer.pod_selector or Selector()) for peer in where.rule.peers}
    spaces = {end.namespace for end in ground.members(mask) if isinstance(end, Pod)}
    return f"each {' or '.join(sorted(chosen))} of {' or '.join(sorted(spaces))}"


def _alike(selector: Selector) -> str:
    asked = " and ".join(map(label, selector.requirements))
    return f"pod with {asked}" if asked else "pod"


def listed(names: Sequence[str], things: str) -> str:
    """A few names in a row, or the first and how many more there are."""
    if len(names) <= SHOWN:
        return " and ".join(names)
    return f"{names[0]} and {len(names) - 1} more {things}"


def place(where: Where) -> str:
    """A rule at the beginning of a sentence."""
    return f"{where.direction.value} rule {where.number} of {where.policy}"


def label(requirement: Requirement) -> str:
    """A requirement of a selector, as people say it."""
    values = sorted(requirement.values)
    match requirement.operator:
        case Operator.IN if len(values) == 1:
            return f"`{requirement.key}: {values[0]}`"
        case Operator.IN:
            return f"`{requirement.key}` in ({', '.join(values)})"
        case Operator.NOT_IN:
            return f"`{requirement.key}` not in ({', '.join(values)})"
        case Operator.EXISTS:
            return f"`{requirement.key}`"
    return f"no `{requirement.key}`"


def labels(found: Labels) -> str:
    """The labels of an object."""
    return ", ".join(f"{key}: {value}" for key, value in sorted(found.items())) or "no labels"
