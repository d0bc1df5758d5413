"""The result of `policylab privilege`, in words for the command line."""

from __future__ import annotations

from harness.core.policy.privilege import Privilege


def privilege_text(privilege: Privilege) -> str:
    """The three lists, each after its title and the number of its entries."""
    lists = (
        ("parts of rules that no wanted flow needs", privilege.unused),
        ("flows that pass and are not wanted", privilege.unwanted),
        ("wanted flows that do not pass", privilege.missing),
    )
    return "".join(
        f"{len(found)} {title}\n{''.join(f'  {entry}{chr(10)}' for entry in found)}"
        for title, found in lists
    )
