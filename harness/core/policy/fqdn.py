"""Names and patterns of names, as toFQDNs and rules.dns of a CiliumNetworkPolicy have them.

A name is a pattern without a star, so both are one text: lower case, without the last dot.
Source: Cilium 1.20.2, pkg/fqdn/matchpattern/matchpattern.go and pkg/policy/api/fqdn.go:

- `*` alone (or more of it) is every name, the root too;
- `**.` in front stands for one or more whole labels;
- any other `*` stands for any number of characters, none too, within one label.

So `*.cilium.io` is neither cilium.io nor a.b.cilium.io, and `*cilium.io` is cilium.io.
"""

from __future__ import annotations

import re
from functools import lru_cache

MAX_PATTERN = 255

_CHARACTER = "[-a-z0-9_]"
_LABELS = rf"{_CHARACTER}+(?:\.{_CHARACTER}+)*"
# Cilium's own expression (pkg/policy/api/fqdn.go), written so that it cannot run away.
_WRITTEN = re.compile(r"[-a-zA-Z0-9_*]+(?:\.[-a-zA-Z0-9_*]+)*\.?")


def fault(text: str, *, pattern: bool) -> str:
    """Why Cilium would refuse a matchPattern or, without `pattern`, a matchName; empty if not."""
    if len(text) > MAX_PATTERN:
        return f"has {len(text)} characters, and may have {MAX_PATTERN}"
    if not _WRITTEN.fullmatch(text):
        return f"`{text}` is not a valid name: use letters, digits, - and _, and dots between"
    if "*" in text and not pattern:
        return f"`{text}` has a star: that is a matchPattern"
    return ""


def canonical(text: str) -> str:
    """A name or a pattern as Cilium compares it: case and the last dot do not count."""
    return text.lower().removesuffix(".")


def matches(pattern: str, name: str) -> bool:
    """Whether a canonical name or pattern stands for a name; the root is the empty name."""
    return _expression(pattern).fullmatch(canonical(name)) is not None


@lru_cache(maxsize=1024)
def _expression(pattern: str) -> re.Pattern[str]:
    if not pattern.strip("*"):
        return re.compile(rf"(?:{_LABELS})?")
    front = re.match(r"\*{2,}\.", pattern)
    rest = pattern[front.end() :] if front else pattern
    inner = f"{_CHARACTER}*".join(map(re.escape, re.split(r"\*+", rest)))
    return re.compile(rf"{_LABELS}\.{inner}" if front else inner)
