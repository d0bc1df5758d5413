"""`policylab fuzz` and `report merge`: random policies, also shared between several clusters."""

from __future__ import annotations

import argparse

from harness.commands.fuzz import merging, verb


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verbs."""
    for module in (verb, merging):
        module.add_parser(commands)
