"""How a message tells a long list in few words; every room may import this module."""

from __future__ import annotations

from collections.abc import Iterable


def few(things: Iterable[object], most: int, joint: str = ", ", hint: str = "") -> str:
    """The first `most` things, each as its `str`, and last of all how many more there are.

    `few("abcd", 2)` is `a, b, and 2 more`, and `few("ab", 2)` is `a, b`. `joint` stands between the
    parts. `hint` follows the number, and says where the others are told.
    """
    told = [str(thing) for thing in things]
    left = len(told) - most
    return joint.join([*told[:most], *([f"and {left} more{hint}"] if left > 0 else [])])
