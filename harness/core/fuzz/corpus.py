"""A case of the fuzz as a file for tests/corpus, which the oracle's own tests then read.

The corpus writes flows as patterns, not in the grammar of targets: it has lines for many flows at
once (`deny * -> shop/web:*`), for flows from outside, and for protocols that no prober can send.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import yaml

from harness.core.fuzz.cases import PREFIX, Case
from harness.core.fuzz.result import Disagreement
from harness.core.model import Labels, Pod
from harness.core.outcome import Verdict
from harness.core.policy.selectors import NAME_LABEL
from harness.core.predict.scenario import Scenario
from harness.core.target import PodPort
from harness.core.target.ask import Ask, Flow, flow_of


def written(flow: Flow) -> str:
    """One flow as the corpus writes it: `shop/web -> shop/api:80/TCP`, `internet -> ...`."""
    return f"{flow.source} -> {flow.target}:{flow.port}/{flow.protocol}"


def corpus_text(
    case: Case, scenario: Scenario, disagreed: Sequence[Disagreement], *, source: str
) -> str:
    """The text of a file for tests/corpus: the oracle's verdicts, with the differing observations.

    `scenario` is the case on the cluster; `source` names the CNI and the seed.
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
        "observed": _differences(disagreed, scenario),
    }
    text = yaml.safe_dump(body, sort_keys=False, width=200, default_flow_style=None)
    # The run and the number of the world in the namespaces mean nothing to a reader.
    return re.sub(rf"{PREFIX}-(?:{re.escape(case.run)}-)?(?:\d+-)?", "", text)


def _differences(disagreed: Sequence[Disagreement], scenario: Scenario) -> list[dict[str, Any]]:
    """The observations and the oracle's reasons; flows that share both are listed together."""
    found: dict[tuple[str, str, tuple[str, ...]], list[str]] = {}
    for each in disagreed:
        key = (str(each.predicted), str(each.observed), each.reasons)
        found.setdefault(key, []).append(_written(each.ask, scenario))
    return [
        {"oracle": oracle, "cluster": cluster, "because": list(reasons), "flows": flows}
        for (oracle, cluster, reasons), flows in found.items()
    ]


def _written(ask: Ask, scenario: Scenario) -> str:
    assert isinstance(ask.target, PodPort)  # noqa: S101 - the fuzz asks for ports of pods only
    return written(flow_of(ask.source, ask.target, scenario.topology))


def _own(labels: Labels, told: str) -> dict[str, str]:
    """The labels that the policies use, without the label that the API server adds."""
    return {key: value for key, value in labels.items() if key != NAME_LABEL and key in told}


def _pod(pod: Pod, told: str) -> dict[str, Any]:
    ports = ["/".join(filter(None, (str(p.number), p.protocol, p.name))) for p in pod.ports]
    address = {"ip": str(pod.ip)} if pod.ip and "cidr" in told else {}
    return {"labels": _own(pod.labels, told), "ports": ports} | address


def _verdicts(scenario: Scenario, pods: Sequence[Pod]) -> list[str]:
    """A line for each flow that is not allowed; one line covers all ports or all clients."""
    found: list[str] = []
    for target in pods:
        rows = {
            str(source): {
                flow: scenario.oracle.verdict(flow)
                for port in target.ports
                for flow in [Flow(source, target, port.number, port.protocol)]
            }
            for source in pods
            if source is not target
        }
        every = {verdict for row in rows.values() for verdict in row.values()}
        if len(every) == 1:
            found += [f"{word} * -> {target}:*" for word in every - {Verdict.ALLOW}]
            continue
        for source, row in rows.items():
            words = set(row.values())
            if len(words) == 1:
                found += [f"{word} {source} -> {target}:*" for word in words - {Verdict.ALLOW}]
                continue
            found += [f"{w} {written(f)}" for f, w in row.items() if w is not Verdict.ALLOW]
    return found
