"""What a student gets: the task, a picture of the wanted flows, workloads, a place for policies."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml

from harness.core.grading.model import Assignment, Row, Want, digits
from harness.core.grading.wanted import WantedFlow
from harness.report.grading.text import points_text
from harness.report.heatmap import OPEN, SHUT, UNCLEAR, Look, Picture, Square, svg

PICTURE, WORKLOADS, TASK = "flows.svg", "workloads.yaml", "README.md"
POLICIES = "policies/policies.yaml"
_LOOKS: Mapping[Want, Look] = {
    Want.OPEN: Look("must be open", OPEN.letter, OPEN.fill, OPEN.ink),
    Want.CLOSED: Look("must be closed", SHUT.letter, SHUT.fill, SHUT.ink),
    Want.EITHER: Look("open or closed", UNCLEAR.letter, UNCLEAR.fill, UNCLEAR.ink),
}


def handout(assignment: Assignment, flows: Iterable[WantedFlow], *, check: str) -> dict[str, str]:
    """The files of a handout by name; `check` is the command by which students try their work."""
    return {
        TASK: _task(assignment, check),
        PICTURE: svg(picture_of(tuple(flows)), title=assignment.title),
        WORKLOADS: _workloads(assignment),
        POLICIES: _place(assignment),
    }


def picture_of(flows: Sequence[WantedFlow]) -> Picture:
    """The wanted flows, a row for each sender and a column for each receiver's port."""
    rows = {name: n for n, name in enumerate(dict.fromkeys(flow.source for flow in flows))}
    ends = dict.fromkeys((flow.target, flow.port) for flow in flows)
    columns = {end: n for n, end in enumerate(ends)}
    squares = {
        (rows[flow.source], columns[flow.target, flow.port]): Square(
            _LOOKS[flow.want],
            f"{flow.source} to {flow.target} on {flow.port}: {_LOOKS[flow.want].word}",
        )
        for flow in flows
    }
    legend = [look for want, look in _LOOKS.items() if any(flow.want is want for flow in flows)]
    return Picture(list(rows), [f"{end} {port}" for end, port in columns], squares, legend)


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
