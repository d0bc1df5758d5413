"""What policies allow beyond the wanted flows, in words and for programs: the finding first."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from harness.core.compare.naming import ends_words
from harness.core.compare.surplus import Excess, Finding, Surplus
from harness.core.compare.world import EndClass
from harness.core.manifests.basis import Basis
from harness.core.model import Direction, NetworkPolicy
from harness.core.policy.privilege import Unused
from harness.listing import few
from harness.report.compare.change import bundle_words
from harness.report.compare.looks import own_words
from harness.report.compare.members import as_json

SCHEMA_VERSION = 1
SHOWN = 3
"""Policies, and groups of flows, that the summary names; the others are counted."""
_WANTED = {
    Excess.MISSING: "wanted, and does not pass:",
    Excess.UNKNOWN: "wanted, and nobody can say that it passes:",
    Excess.PART: "wanted, and only some requests pass:",
    Excess.LOST: "wanted, and passes by the API, but a CNI does otherwise:",
    Excess.LEAK: "unwanted, and does not pass by the API, but a CNI does otherwise:",
}


def privilege_summary(surplus: Surplus) -> str:
    """The finding in a few sentences."""
    let, missing = surplus.of(Excess.LET), surplus.of(Excess.MISSING)
    parts = []
    if let:
        policies = dict.fromkeys(str(policy) for f in let for policy, _, _ in f.rules)
        flows = few((bundle_words(finding.flows) for finding in let), SHOWN, "; ")
        parts.append(f"unwanted flows pass, by {few(policies, SHOWN)}: {flows}")
    else:
        parts.append("no rule lets a flow pass that nobody wants")
    parts.append(
        f"{_groups(missing)} of wanted flows do not pass"
        if missing
        else "no wanted flow is surely blocked"
        if surplus.of(Excess.UNKNOWN)
        else "there is no wanted flow that does not pass"
    )
    if unknown := (*surplus.of(Excess.UNKNOWN), *surplus.of(Excess.PART)):
        parts.append(f"of {_groups(unknown)} of wanted flows nobody can say that they pass")
    if doubt := surplus.of(Excess.DOUBT):
        parts.append(f"of {_groups(doubt)} of unwanted flows nobody can say that they do not pass")
    if otherwise := (*surplus.of(Excess.LOST), *surplus.of(Excess.LEAK)):
        names = " and ".join(sorted({name.capitalize() for f in otherwise for name, _ in f.own}))
        parts.append(f"{_groups(otherwise)} of flows are as wanted by the API, and not on {names}")
    if surplus.of(Excess.OPEN):
        parts.append("other unwanted flows pass because no policy isolates either end")
    if surplus.unused:
        parts.append(f"{len(surplus.unused)} parts of rules serve no wanted flow")
    return ". ".join(part[0].upper() + part[1:] for part in parts) + "."


def _groups(findings: Sequence[object]) -> str:
    return f"{len(findings)} group{'' if len(findings) == 1 else 's'}"


def privilege_text(surplus: Surplus) -> Iterator[str]:
    """The findings by kind; unwanted flows by the policies that let them pass."""
    if found := surplus.of(Excess.LET):
        yield "unwanted, and let through by rules:"
        for rules, findings in _by_rules(found).items():
            yield f"  {rules}"
            yield from (f"    {_flows(finding)}" for finding in findings)
    for excess, title in _WANTED.items():
        if found := surplus.of(excess):
            yield title
            for finding in found:
                yield f"  {_flows(finding)}"
                yield from (f"    {reason}" for reason in finding.reasons)
    if surplus.unused:
        yield "parts of rules that no wanted flow needs:"
        yield from (f"  {line}" for line in unused_lines(surplus.unused))
    if found := surplus.of(Excess.OPEN):
        yield "unwanted, and open because no policy isolates either end:"
        yield _summed_up(found)
    if found := surplus.of(Excess.DOUBT):
        yield "unwanted, and nobody can say that it does not pass:"
        if alike := [finding for finding in found if not finding.own]:
            yield _summed_up(alike)
        yield from (f"  {_flows(finding)}" for finding in found if finding.own)


def _flows(finding: Finding) -> str:
    return f"{bundle_words(finding.flows)}{own_words(finding.own)}"


def _by_rules(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    found: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        found[_rules_words(finding)].append(finding)
    return dict(sorted(found.items()))


def _rules_words(finding: Finding) -> str:
    numbers: dict[tuple[NetworkPolicy, Direction], list[int]] = defaultdict(list)
    for policy, direction, number in finding.rules:
        numbers[policy, direction].append(number)
    return "; ".join(
        f"{policy}, {direction.lower()} rule {' and '.join(map(str, sorted(found)))}"
        for (policy, direction), found in sorted(numbers.items(), key=lambda i: str(i[0][0]))
    )


def unused_lines(unused: Iterable[Unused]) -> Iterator[str]:
    """A line for each policy and direction, with the numbers of its unused rules and parts."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for part in unused:
        which = f" peer {part.peer}" if part.peer else f" port {part.port}" if part.port else ""
        found[str(part.policy), part.direction.lower()].append(f"{part.rule}{which}")
    for (policy, direction), parts in found.items():
        yield f"{policy}, {direction} rule {', '.join(parts)}"


def _summed_up(findings: Sequence[Finding]) -> str:
    sources = _ends(finding.flows.sources for finding in findings)
    return f"  {sources} -> {_ends(finding.flows.targets for finding in findings)}"


def _ends(ends: Iterable[Sequence[EndClass]]) -> str:
    return ends_words(list(dict.fromkeys(end for found in ends for end in found)))


def privilege_document(surplus: Surplus, origin: str, basis: Basis) -> dict[str, Any]:
    """The findings for programs, valid by `templates/privilege.schema.json`."""
    return {
        "schema": SCHEMA_VERSION,
        "origin": origin,
        "observed": False,
        "summary": privilege_summary(surplus),
        "findings": [_finding(finding) for finding in surplus.findings],
        "unused": [
            {
                "policy": str(part.policy),
                "direction": str(part.direction),
                "rule": part.rule,
                "peer": part.peer or None,
                "port": part.port or None,
            }
            for part in surplus.unused
        ],
        **basis.document(),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "kind": str(finding.excess),
        "from": [as_json(end) for end in finding.flows.sources],
        "to": [as_json(end) for end in finding.flows.targets],
        "ports": [str(port) for port in finding.flows.ports],
        "rules": [
            {"policy": str(policy), "direction": str(direction), "rule": number}
            for policy, direction, number in finding.rules
        ],
        "reasons": list(finding.reasons),
        "cni_answers": dict(finding.own),
    }


def proposal_text(entries: Iterable[tuple[list[str], list[str]]], origin: str) -> str:
    """The list of wanted flows as YAML; texts are written as JSON strings, which are YAML too."""
    lines = [
        f"# The flows that pass by {origin}. Take out the ones that nobody wants.",
        *(
            f"- {{from: {_yaml(froms)}, to: {_yaml(tos)}}}"
            for froms, tos in entries
            if froms and tos
        ),
    ]
    return "\n".join([*lines, *(["[]"] if len(lines) == 1 else [])]) + "\n"


def _yaml(texts: Sequence[str]) -> str:
    return json.dumps(texts[0] if len(texts) == 1 else list(texts))
