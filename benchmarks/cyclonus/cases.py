"""Cases of policylab with the policies that Cyclonus applied, and with the flows that it asked for.

Namespaces, labels and names of ports are those of Cyclonus. Port 80 is 8080 here, and so on: pods
of a conformance run may not open ports under 1024. A pod's way to itself through its Service is
left out, because the API leaves it open.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from benchmarks.cyclonus.output import Cell, Mark, Ran, Step
from harness.core.model import PodRef, Protocol
from harness.core.target import PodPort
from harness.core.target.ask import Ask

SHIFT, PRIVILEGED, DNS = 8000, 1024, 53
TOPOLOGY = "cyclonus"
CHANGES = {"create-pod", "create-namespace", "set-pod-labels", "set-namespace-labels"}
"""Tags of cases that change more than policies."""
SOURCE = "https://github.com/mattfenwick/cyclonus/tree/v0.5.6/pkg/generator"


def name_of(tested: Ran) -> str:
    """The name of the case, and of its file."""
    return f"cyclonus-{tested.number:03}"


def fits(tested: Ran) -> bool:
    """Whether each step of the case has the same flows.

    A step that makes pods or changes labels is printed without these changes, so nobody could
    repeat it from the text.
    """
    flows = [step.expected.keys() for step in tested.steps if step.tries]
    return (
        len(flows) == len(tested.steps) > 0
        and bool(flows[0])
        and all(flows[0] == each for each in flows)
        and not CHANGES & {*tested.tags}
    )


def topology_of(tested: Ran) -> str:
    """The namespaces and pods of the case, as the file of a topology."""
    cells = list(tested.steps[0].expected)
    ports = [_declared(port) for port in sorted({cell.port for cell in cells})]
    pods = sorted({cell.source for cell in cells})
    document = {
        "about": "The pods of Cyclonus.",
        "namespaces": {pod.partition("/")[0]: {"ns": pod.partition("/")[0]} for pod in pods},
        "pods": {pod: {"labels": {"pod": pod.partition("/")[2]}, "ports": ports} for pod in pods},
    }
    return _written(document)


def text_of(tested: Ran) -> str:
    """The case as a file of `policylab conformance --cases`."""
    first, *later = tested.steps
    document = {
        "about": tested.about,
        "source": SOURCE,
        "level": "core",
        "features": ["several-policies" if len(first.policies) > 1 else "subject"],
        "topology": TOPOLOGY,
        **_state(first),
        "steps": [
            {"does": f"step {number} of Cyclonus", **_state(step)}
            for number, step in enumerate(later, 2)
        ],
    }
    return _written(document)


def ask_of(cell: Cell) -> Ask:
    """The flow of a cell, in the words of the case."""
    protocol, _, number = cell.port.partition("/")
    port = PodPort(_ref(cell.target), shifted(int(number)), Protocol(protocol))
    return Ask(_ref(cell.source), port)


def shifted(number: int) -> int:
    """A port of Cyclonus as a port of the case."""
    return number + SHIFT if number < PRIVILEGED and number != DNS else number


def _written(document: dict[str, Any]) -> str:
    """As JSON: PyYAML writes the namespace `y` without the quotes that kubectl needs."""
    return json.dumps(document, indent=1) + "\n"


def _declared(port: str) -> str:
    protocol, _, number = port.partition("/")
    return f"{shifted(int(number))}/{protocol}/serve-{number}-{protocol.lower()}"


def _state(step: Step) -> dict[str, Any]:
    denied = [
        f"deny {cell.source} -> {cell.target}:{shifted(int(cell.port.partition('/')[2]))}/"
        f"{cell.port.partition('/')[0]}"
        for cell, mark in step.expected.items()
        if mark is not Mark.ALLOWED and not cell.is_own
    ]
    return {"policies": list(map(_policy, step.policies)), "expect": denied}


def _policy(body: Mapping[str, Any]) -> dict[str, Any]:
    meta = body["metadata"]
    name = re.sub("[^a-z0-9]+", "-", str(meta["name"]).lower())[:40].strip("-")
    spec = dict(body["spec"])
    for direction in ("ingress", "egress"):
        if spec.get(direction):
            spec[direction] = [_rule(rule) for rule in spec[direction]]
    return {"metadata": {"namespace": meta["namespace"], "name": name}, "spec": spec}


def _rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    return {**rule, **({"ports": list(_ports(rule["ports"]))} if rule.get("ports") else {})}


def _ports(ports: Iterable[Mapping[str, Any]]) -> Iterable[dict[str, Any]]:
    for port in ports:
        numbers = {k: shifted(v) for k, v in port.items() if isinstance(v, int)}
        yield {**port, **numbers}


def _ref(pod: str) -> PodRef:
    namespace, _, name = pod.partition("/")
    return PodRef(namespace, name)
