"""`policylab grade`, `grade merge`, `check` and `assignment`: marks for what policies do."""

from __future__ import annotations

import argparse

from harness.commands.grading import assignment, check, grade, merge


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verbs."""
    for module in (grade, merge, check, assignment):
        module.add_parser(commands)
