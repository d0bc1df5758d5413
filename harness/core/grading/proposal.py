"""A first `assignment.yaml` for somebody's own workloads, with the flows that a solution opens."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from fractions import Fraction

from harness.core.compare.surplus import proposal
from harness.core.compare.world import EndClass, Kind, State
from harness.core.grading.model import REST, Assignment, Broken, Row, Want
from harness.core.grading.world import world_of
from harness.core.manifests.library import POLICY_KINDS
from harness.core.manifests.reader import Resource, policies_of
from harness.core.model import NETWORK_POLICY
from harness.errors import ContentError

_DNS = ("pod/kube-system/coredns:53", "pod/kube-system/coredns:53/udp")


def split(resources: Sequence[Resource]) -> tuple[tuple[Resource, ...], tuple[Resource, ...]]:
    """The workloads and the policies among some objects.

    Raises:
        ContentError: there are no pods, or no policies.
    """
    policies = tuple(r for r in resources if r.kind in POLICY_KINDS)
    workloads = tuple(r for r in resources if r.kind not in POLICY_KINDS)
    if not policies or not workloads:
        lacking = "policy" if workloads else "workload"
        raise ContentError(
            f"the folder has no {lacking}",
            try_="it needs the workloads, and policies that are a right solution",
        )
    return workloads, policies


def proposed(
    title: str,
    workloads: Sequence[Resource],
    policies: Sequence[Resource],
    cnis: Collection[str],
) -> str:
    """The text of an `assignment.yaml` whose rows are the flows that the policies let pass.

    `cnis` are those on which the policies are enforced.
    """
    kinds = sorted({policy.kind for policy in policies})
    spaces = sorted({policy.namespace for policy in policies})
    rows = list(_rows(workloads, policies, spaces))
    lines = [
        "# Proposed from the workloads and their policies: edit the rows, their points and words.",
        f"title: {json.dumps(title)}",
        f"cni: [{', '.join(cnis)}]",
        "",
        "submission:",
        f"  kinds: [{', '.join(kinds)}]",
        f"  namespaces: [{', '.join(spaces)}]",
        *([f"  default_namespace: {spaces[0]}"] if len(spaces) == 1 else []),
        "  broken_files: refuse",
        "",
        "# The first row that means a flow decides about it.",
        "rows:" if rows else "rows: []",
    ]
    for number, (sources, targets) in enumerate(rows, 1):
        lines += [
            f"  - id: flow-{number}",
            f"    from: {json.dumps(sources)}",
            f"    to: {json.dumps(targets)}",
            "    outcome: open",
            "    points: 10",
            "    why: Say in one sentence why these flows are needed.",
            "    hint: Say in one sentence what helps a student who does not have them.",
            f"    topic: flow {number}",
        ]
    lines += [
        "",
        "# Every flow into, out of or between these namespaces that no row above means.",
        "rest:",
        "  outcome: closed",
        "  points: 50",
        "  each: 5",
        "  why: Nothing else passes.",
        "  topic: nothing else passes",
        "",
    ]
    return "\n".join(lines)


def kinds_of(policies: Sequence[Resource]) -> frozenset[str]:
    """The kinds of some policies."""
    return frozenset(policy.kind for policy in policies) or frozenset({NETWORK_POLICY})


def _rows(
    workloads: Sequence[Resource], policies: Sequence[Resource], spaces: Sequence[str]
) -> Iterator[tuple[list[str], list[str]]]:
    rest = Row(REST, (), (), Want.CLOSED, Fraction(1))
    bare = Assignment(
        *("", "", "", (), frozenset(POLICY_KINDS), frozenset(spaces), "", Broken.REFUSE),
        *((), rest),
        workloads=tuple(workloads),
    )
    state = State(world_of(bare).topology, policies_of(policies))

    def among(source: EndClass, target: EndClass) -> bool:
        return _home(source) in spaces or _home(target) in spaces

    for sources, targets in proposal(state, among):
        names = [text for text in targets if text not in _DNS]
        dns = ["dns"] if set(_DNS) <= set(targets) else [t for t in targets if t in _DNS]
        yield sources, [*names, *dns]


def _home(end: EndClass) -> str:
    return end.names[0].partition("/")[0] if end.kind is Kind.POD else ""
