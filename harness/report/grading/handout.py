"""What a student gets: the task, a picture of the wanted flows, workloads, a place for policies."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from harness.core.grading.model import Assignment, Row, digits
from harness.core.grading.telling.matrix import Matrix
from harness.report.grading.matrix import wanted_picture
from harness.report.grading.text import points_text
from harness.report.matrix.heatmap import svg

PICTURE, WORKLOADS, TASK = "flows.svg", "workloads.yaml", "README.md"
POLICIES = "policies/policies.yaml"


def handout(assignment: Assignment, wanted: Matrix, *, check: str) -> dict[str, str]:
    """The files of a handout by name; `check` is the command by which students try their work."""
    return {
        TASK: _task(assignment, check),
        PICTURE: svg(wanted_picture(wanted), title=assignment.title),
        WORKLOADS: _workloads(assignment),
        POLICIES: _place(assignment),
    }


def _task(assignment: Assignment, check: str) -> str:
    kinds, spaces = sorted(assignment.kinds), sorted(assignment.namespaces)
    where = (
        f"An object that states no namespace goes to `{assignment.default_namespace}`."
        if assignment.default_namespace
        else "Each object must state its namespace."
    )
    lines = [
        assignment.task.rstrip(),
        "",
        f"![The flows that must be open and closed]({PICTURE})",
        "",
        "The picture has the deployed pods only. What is said above holds for every pod, whether",
        "it is deployed already or not, and for every port.",
        "",
        "## What you hand in",
        "",
        f"- Files in YAML or JSON with objects of the kind {_list(kinds)}, and nothing else.",
        f"  Begin in `{POLICIES}`. You may write one file or several.",
        f"- Objects may be in the namespace {_list(spaces)}. {where}",
        "- How your policies are written does not count. What passes and what does not, counts.",
        "",
        "## Points",
        "",
        "| what | points |",
        "|---|---|",
        *(_points(row) for row in assignment.all_rows if row.points),
        "",
        "## Try it",
        "",
        f"`{WORKLOADS}` has the pods. Without a cluster, this command tells you what still lacks:",
        "",
        "```",
        check,
        "```",
        "",
    ]
    return "\n".join(lines)


def _points(row: Row) -> str:
    name = row.topic or row.id
    text = name if row.hidden or not row.why else f"{name}: {row.why}"
    return f"| {text.replace('|', chr(92) + '|')} | {points_text(digits(row.points))} |"


def _list(names: Sequence[str]) -> str:
    return " or ".join(f"`{name}`" for name in names)


def _workloads(assignment: Assignment) -> str:
    return "---\n".join(_yaml(resource.body) for resource in assignment.workloads)


def _yaml(body: Mapping[str, Any]) -> str:
    # By way of JSON, so that nothing but plain values is written.
    plain = json.loads(json.dumps(body))
    return yaml.safe_dump(plain, sort_keys=False, allow_unicode=True)


def _place(assignment: Assignment) -> str:
    return f"# Write your policies here: {' or '.join(sorted(assignment.kinds))}.\n"
