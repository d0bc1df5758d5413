"""Shrinks a case that shows a disagreement to a smaller case that still shows it.

Only the cluster can say whether a smaller case still shows the disagreement. This module lists the
cases to try, in their order: cases that leave out large parts come first.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from harness.core.fuzz.cases import Body, Case
from harness.core.manifests.library import POLICY_KINDS
from harness.core.manifests.text.documents import FieldPath
from harness.errors import ManifestError

_KEPT = frozenset({"podSelector", "endpointSelector", "key", "operator", "cidr"})
"""Fields that stay, because a policy without them is invalid or has another meaning."""


def smaller(case: Case) -> Iterator[Case]:
    """Cases with one part less each: a policy, then a rule, a peer, a port, and so on inwards.

    Cases that policylab cannot read are left out.
    """
    for number, body in enumerate(case.objects):
        if body["kind"] in POLICY_KINDS:
            yield replace(case, objects=(*case.objects[:number], *case.objects[number + 1 :]))
    cuts = [
        (len(path), number, path)
        for number, body in enumerate(case.objects)
        for path in _cuts(body)
    ]
    for _, number, path in sorted(cuts, key=lambda cut: cut[0]):
        less = _without(case.objects[number], path)
        found = replace(case, objects=(*case.objects[:number], less, *case.objects[number + 1 :]))
        if _taken(found):
            yield found


def _cuts(body: Body) -> list[FieldPath]:
    """Every part of a policy that may be left out; nothing is cut from pods and their labels."""
    return list(_parts(body["spec"], ("spec",))) if body["kind"] in POLICY_KINDS else []


def _parts(value: Any, path: FieldPath) -> Iterator[FieldPath]:
    items: Sequence[tuple[str | int, Any]] = []
    match value:
        case Mapping():
            items = list(value.items())
        case list():
            items = list(enumerate(value))
    for key, inner in items:
        if key not in _KEPT:
            yield (*path, key)
        yield from _parts(inner, (*path, key))


def _without(body: Body, path: FieldPath) -> Body:
    found = copy.deepcopy(dict(body))
    place: Any = found
    for part in path[:-1]:
        place = place[part]
    del place[path[-1]]
    return found


def _taken(case: Case) -> bool:
    try:
        case.resources  # noqa: B018 - reads the manifests
    except ManifestError:
        return False
    return True
