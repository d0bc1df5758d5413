"""Words that the findings share."""

from __future__ import annotations

from collections.abc import Sequence

from harness.core.lint.ground import Ground
from harness.core.lint.where import Where
from harness.core.model import Labels, Operator, Requirement
from harness.core.policy.selectors import Mask

SHOWN = 2
"""Names that are written out; of more, the number follows."""


def crew(ground: Ground, mask: Mask) -> str:
    """The pods of a set: the names of a few, or the first of them and how many more there are."""
    return listed([str(end) for end in ground.members(mask)], "pods")


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
