"""A diagnosis and a judgement of privilege, in words for the command line.

A diagnosis comes out as YAML whose comments are the words, so that what it suggests can be applied.
"""

from __future__ import annotations

from collections.abc import Iterable

from harness.core.policy.diagnosis import Block, Diagnosis
from harness.core.policy.privilege import Privilege
from harness.core.policy.render import to_yaml

KEPT = "nothing blocks it"


def diagnosis_text(diagnosis: Diagnosis) -> str:
    """Each end's reason; for each block the nearest rule, and the policy that would open it."""
    words = [f"{diagnosis.flow}: {diagnosis.verdict}", *diagnosis.reasons]
    if not diagnosis.blocks:
        return _comment([*words, KEPT])
    parts = [_comment(words)]
    parts += [f"{_comment(_block(block))}{to_yaml(block.remedy)}" for block in diagnosis.blocks]
    return "---\n".join(parts)


def _block(block: Block) -> Iterable[str]:
    names = ", ".join(map(str, block.policies))
    yield f"{block.direction}: dropped by {names}"
    yield f"nearest: {block.nearest}" if block.nearest else "nearest: there is no rule at all"
    yield "this would open it, as narrowly as labels can:"


def _comment(words: Iterable[str]) -> str:
    return "".join(f"# {line}\n" for line in words)


def privilege_text(privilege: Privilege) -> str:
    """The three lists, each with its number first."""
    lists = (
        ("parts of rules that no wanted flow uses", privilege.unused),
        ("flows that pass and are not wanted", privilege.unwanted),
        ("wanted flows that do not pass", privilege.missing),
    )
    return "".join(
        f"{len(found)} {title}\n{''.join(f'  {entry}{chr(10)}' for entry in found)}"
        for title, found in lists
    )
