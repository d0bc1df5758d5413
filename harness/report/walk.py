"""The answers of `explain` (one flow, or policies in words): text for people, JSON for programs.

The text is YAML with the words as comments, so that kubectl can apply a suggested policy. The
document follows `templates/explain.schema.json`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from harness.core.outcome import Verdict
from harness.core.policy.account import Account
from harness.core.policy.decision import Side
from harness.core.policy.diagnosis import Block, Diagnosis
from harness.core.policy.render import to_body, to_yaml
from harness.core.predict.walk import Walk

SCHEMA_VERSION = 1

ENDINGS = {
    Verdict.ALLOW: "nothing blocks it",
    Verdict.SOME: "some requests pass and the others are refused",
    Verdict.DENY: "it is blocked",
    Verdict.UNDEFINED: "the manifests do not decide this; the flow may pass or be blocked",
}
"""The last sentence of an answer. An undefined verdict never reads like an allowed flow."""


def walk_text(walk: Walk) -> str:
    """The verdict, the steps before any policy, each end's reasons, and what would open a block."""
    words = [f"{walk.asked}: {walk.verdict}", *walk.steps]
    for part in walk.parts:
        if str(part.flow) != walk.asked:
            words.append(f"{part.flow}: {part.verdict}")
        words += part.reasons
    words += [*filter(None, [walk.because]), *_rests(walk)]
    blocks = [block for part in walk.parts for block in part.blocks]
    if walk.verdict is not Verdict.DENY or not blocks:
        return _comment([*words, ENDINGS[walk.verdict]])
    shown = {_remedy(block) or str(block.reason): block for block in blocks}
    parts = [_comment(words)]
    parts += [f"{_comment(_block(block))}{_remedy(block)}" for block in shown.values()]
    return "---\n".join(parts)


def _rests(walk: Walk) -> Iterable[str]:
    for cni, verdict in (walk.answers or {}).items():
        yield f"on {cni.capitalize()} the answer is {verdict} (the table of CNI differences)"
    yield from walk.basis.lines()


def _block(block: Block) -> Iterable[str]:
    names = ", ".join(map(str, block.policies))
    yield f"{block.direction}: dropped by {names}"
    yield f"nearest: {block.nearest}" if block.nearest else "nearest: there is no rule at all"
    if block.remedy:
        yield "this would open it, as narrowly as labels can:"
    else:
        yield "no policy is suggested: the address is not known, and an ipBlock needs one"


def _remedy(block: Block) -> str:
    return to_yaml(block.remedy) if block.remedy else ""


def _comment(words: Iterable[str]) -> str:
    return "".join(f"# {line}\n" for line in words)


def walk_document(walk: Walk) -> dict[str, Any]:
    """The walk as JSON has it."""
    return {
        "schema_version": SCHEMA_VERSION,
        "flow": walk.asked,
        "verdict": str(walk.verdict),
        "because": walk.because,
        "steps": list(walk.steps),
        "parts": [_part(part) for part in walk.parts],
        "cni_answers": dict(walk.answers or {}),
        **walk.basis.document(),
    }


def _part(part: Diagnosis) -> dict[str, Any]:
    return {
        "flow": str(part.flow),
        "verdict": str(part.verdict),
        "reasons": list(part.reasons),
        "sides": [_side(side) for side in part.sides],
        "remedies": [to_body(remedy) for remedy in part.remedies],
    }


def _side(side: Side) -> dict[str, Any]:
    return {
        "direction": str(side.direction),
        "verdict": str(side.verdict),
        "isolated_by": [str(policy) for policy in side.isolated_by],
        "allowed_by": [{"policy": str(p), "rule": number} for p, number in side.allowed_by],
        "nearest": str(side.nearest) if side.nearest else None,
    }


def accounts_text(accounts: Sequence[Account]) -> str:
    """Policies in words, each with its pods and its rules."""
    return "\n".join("\n".join(_account(account)) + "\n" for account in accounts)


def _account(account: Account) -> Iterable[str]:
    place = f" ({account.policy.origin})" if account.policy.origin else ""
    yield f"{account.policy.kind} {account.policy.namespace}/{account.policy.name}{place}"
    yield f"  selects {account.selects}"
    for direction in account.directions:
        yield f"  {direction.summary}"
        for rule in direction.rules:
            yield f"    {rule}"


def accounts_document(accounts: Sequence[Account]) -> dict[str, Any]:
    """Policies in words as JSON has them."""
    return {
        "schema_version": SCHEMA_VERSION,
        "policies": [
            {
                "policy": str(account.policy),
                "origin": account.policy.origin,
                "selects": account.selects,
                "pods": list(account.pods),
                "directions": [
                    {"summary": each.summary, "rules": list(each.rules)}
                    for each in account.directions
                ],
            }
            for account in accounts
        ],
    }
