"""From a case that shows a disagreement to the smallest that still does, and its corpus form.

Whether a smaller case still shows it, only the cluster can say; here is what to try, in order, the
big cuts first.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import yaml

from harness.core.fuzz.cases import PREFIX, Body, Case
from harness.core.fuzz.result import Cell
from harness.core.manifests.library import POLICY_KINDS
from harness.core.model import Labels, Pod
from harness.core.outcome import Verdict
from harness.core.policy.reachability import Port, compute
from harness.core.policy.selectors import NAME_LABEL
from harness.core.predict.scenario import Scenario
from harness.errors import ManifestError

Path = tuple[str | int, ...]

_KEPT = frozenset({"podSelector", "endpointSelector", "key", "operator", "cidr"})
"""Fields whose absence makes another policy, or none."""


def smaller(case: Case) -> Iterator[Case]:
    """Cases with one part less each: a policy, then a rule, a peer, a port, and so on inwards.

    Those that policylab would not take are left out.
    """
    for number, body in enumerate(case.objects):
        if body["kind"] in POLICY_KINDS:
            yield replace(case, objects=(*case.objects[:number], *case.objects[number + 1 :]))
    cuts = [
        (len(path), number, path)
        for number, body in enumerate(case.objects)
        for path in _cuts(body)
    ]
    for _, number, path in sorted(cuts, key=lambda cut: cut[0]):
        less = _without(case.objects[number], path)
        found = replace(case, objects=(*case.objects[:number], less, *case.objects[number + 1 :]))
        if _taken(found):
            yield found


def _cuts(body: Body) -> list[Path]:
    """Every part of a policy that could be left out; pods and their labels stay as they are."""
    return list(_parts(body["spec"], ("spec",))) if body["kind"] in POLICY_KINDS else []


def _parts(value: Any, path: Path) -> Iterator[Path]:
    items: Sequence[tuple[str | int, Any]] = []
    match value:
        case Mapping():
            items = list(value.items())
        case list():
            items = list(enumerate(value))
    for key, inner in items:
        if key not in _KEPT:
            yield (*path, key)
        yield from _parts(inner, (*path, key))


def _without(body: Body, path: Path) -> Body:
    found = copy.deepcopy(dict(body))
    place: Any = found
    for part in path[:-1]:
        place = place[part]
    del place[path[-1]]
    return found


def _taken(case: Case) -> bool:
    try:
        case.resources  # noqa: B018 - reads the manifests
    except ManifestError:
        return False
    return True


def corpus_text(case: Case, scenario: Scenario, disagreed: Sequence[Cell], *, source: str) -> str:
    """A file as tests/corpus has them: the oracle's verdicts, and beside them what was seen.

    `scenario` is the case on the cluster; `source` says which CNI and which seed.
    """
    pods = [pod for pod in scenario.topology.pods.values() if pod.namespace.startswith(PREFIX)]
    spaces = {pod.namespace: scenario.topology.namespaces[pod.namespace] for pod in pods}
    told = yaml.safe_dump([dict(body["spec"]) for body in case.policies])
    body = {
        "source": source,
        "world": {
            "namespaces": {
                name: _own(space.labels, told) for name, space in sorted(spaces.items())
            },
            "pods": {str(pod): _pod(pod, told) for pod in pods},
        },
        "cases": [
            {
                "name": f"{case.name} of the fuzz, shrunk",
                "policies": [
                    {"namespace": body["metadata"]["namespace"], **body["spec"]}
                    for body in case.policies
                ],
                "expect": _verdicts(scenario, pods),
            }
        ],
        "observed": _differences(disagreed),
    }
    text = yaml.safe_dump(body, sort_keys=False, width=200, default_flow_style=None)
    # Which worker's namespaces they were means nothing to a reader.
    return re.sub(rf"{PREFIX}-(\d+-)?", "", text)


def _differences(disagreed: Sequence[Cell]) -> list[dict[str, Any]]:
    """What was seen, and the oracle's reasons, once for all flows that share them."""
    found: dict[tuple[str, str, tuple[str, ...]], list[str]] = {}
    for cell in disagreed:
        key = (str(cell.predicted), str(cell.observed), cell.reasons)
        found.setdefault(key, []).append(cell.flow)
    return [
        {"oracle": oracle, "cluster": cluster, "because": list(reasons), "flows": flows}
        for (oracle, cluster, reasons), flows in found.items()
    ]


def _own(labels: Labels, told: str) -> dict[str, str]:
    """The labels of which the policies speak; the API server's own is left out."""
    return {key: value for key, value in labels.items() if key != NAME_LABEL and key in told}


def _pod(pod: Pod, told: str) -> dict[str, Any]:
    ports = ["/".join(filter(None, (str(p.number), p.protocol, p.name))) for p in pod.ports]
    address = {"ip": str(pod.ip)} if pod.ip and "cidr" in told else {}
    return {"labels": _own(pod.labels, told), "ports": ports} | address


def _verdicts(scenario: Scenario, pods: Sequence[Pod]) -> list[str]:
    """A line for each flow that is not allowed, or one for all ports, or for all sources."""
    found: list[str] = []
    for target in pods:
        ports = [Port(target, p.number, p.protocol) for p in target.ports]
        others = [pod for pod in pods if pod is not target]
        matrix = compute(scenario.oracle, others, ports)
        rows = {
            str(source): [matrix[str(source), str(port)] for port in ports] for source in others
        }
        every = {verdict for verdicts in rows.values() for verdict in verdicts}
        if len(every) == 1:
            found += [f"{word} * -> {target}:*" for word in every - {Verdict.ALLOW}]
            continue
        for source, verdicts in rows.items():
            if len(set(verdicts)) == 1:
                found += [f"{w} {source} -> {target}:*" for w in {*verdicts} - {Verdict.ALLOW}]
                continue
            each = zip(ports, verdicts, strict=True)
            found += [f"{w} {source} -> {port}" for port, w in each if w is not Verdict.ALLOW]
    return found
