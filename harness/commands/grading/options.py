"""What the verbs of grading have in common: the assignment, and the CNI that it is graded on."""

from __future__ import annotations

import argparse
from difflib import get_close_matches

from harness.core.grading.model import Assignment
from harness.core.lab.profile import CniProfile
from harness.edge.cni.known import CNIS, PROFILES
from harness.edge.grading.assignments import load_assignment
from harness.errors import ContentError

SEED_HELP = (
    "draw namespaces, labels and ports for each student from this text and the student's id; keep "
    "it to yourself, and use the same one for handouts and grades"
)
ASSIGNMENT_HELP = "the name of a shipped assignment (`policylab assignment list`), or a folder"


def add_assignment(parser: argparse.ArgumentParser) -> None:
    """Add the assignment's name and `--cni`."""
    parser.add_argument("assignment", metavar="ASSIGNMENT", help=ASSIGNMENT_HELP)
    parser.add_argument(
        "--cni",
        default="",
        metavar="NAME",
        help="the CNI as which policies are enforced (default: the assignment's first)",
    )


def assignment_of(arguments: argparse.Namespace) -> tuple[Assignment, CniProfile]:
    """The assignment that is named, and the profile of the CNI.

    Raises:
        ContentError: there is no such assignment, or it is not for that CNI.
    """
    found = load_assignment(arguments.assignment, CNIS)
    cni = arguments.cni or found.cnis[0]
    if cni not in found.cnis:
        near = get_close_matches(cni, found.cnis, n=1)
        raise ContentError(
            f"the assignment {found.name} cannot be graded on `{cni}`",
            seen=f"its CNIs: {', '.join(found.cnis)}",
            try_=f"did you mean `{near[0]}`?" if near else "choose one of these",
        )
    return found, PROFILES[cni]
