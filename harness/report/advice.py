"""A judgement of privilege, in words for the command line."""

from __future__ import annotations

from harness.core.policy.privilege import Privilege


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
