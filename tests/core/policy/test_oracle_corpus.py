"""Published cases, as data in tests/corpus: every flow of each case, not only those it speaks of.

Lines of `expect` read `VERDICT SOURCE -> TARGET`, with shell patterns. All is allowed until a line
says otherwise, and the last line that fits a flow counts. Flows of a pod to itself are left out.

A policy is its spec, and may have its `namespace` beside it where that is not the case's.
"""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.core.fuzz.cases import draw_cases
from harness.core.fuzz.corpus import corpus_text, written
from harness.core.manifests.reader import parse, policies_of
from harness.core.model import (
    ContainerPort,
    External,
    Namespace,
    NetworkPolicy,
    Pod,
    Protocol,
    Topology,
)
from harness.core.policy.oracle import Oracle
from harness.core.predict.scenario import Scenario
from harness.core.target.ask import Flow
from harness.edge.cni.known import PROFILES

CORPUS = sorted((Path(__file__).parents[2] / "corpus").glob("*.yaml"))
FILES = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in CORPUS}


def pod(key: str, body: dict[str, Any]) -> Pod:
    ports: list[ContainerPort] = []
    for text in body["ports"]:
        number, protocol, name = (*text.split("/"), "")[:3]
        ports.append(ContainerPort(int(number), Protocol(protocol), name))
    ip = ip_address(body["ip"]) if "ip" in body else None
    namespace, name = key.split("/")
    return Pod(namespace, name, body["labels"], tuple(ports), ip)


def world(body: dict[str, Any]) -> Topology:
    names = {
        name: Namespace(name, {**labels, "kubernetes.io/metadata.name": name})
        for name, labels in body["namespaces"].items()
    }
    outside = {n: External(n, ip_address(ip)) for n, ip in body.get("external", {}).items()}
    return Topology(names, {key: pod(key, p) for key, p in body["pods"].items()}, {}, outside)


def policies(case: dict[str, Any]) -> tuple[NetworkPolicy, ...]:
    manifests = [
        {
            "apiVersion": "cilium.io/v2" if "endpointSelector" in spec else "networking.k8s.io/v1",
            "kind": "CiliumNetworkPolicy" if "endpointSelector" in spec else "NetworkPolicy",
            "metadata": {
                "name": f"p{number}",
                "namespace": spec.get("namespace", case.get("namespace", "shop")),
            },
            "spec": {field: value for field, value in spec.items() if field != "namespace"},
        }
        for number, spec in enumerate(case["policies"])
    ]
    # As JSON: PyYAML writes a label such as `y` without the quotes that kubectl needs.
    return policies_of(parse("".join(map(json.dumps, manifests)), origin=case["name"]))


CASES = [
    pytest.param(body["world"], case, id=f"{name}: {case['name']}")
    for name, body in FILES.items()
    for case in body["cases"]
]


def mismatches(body: dict[str, Any], case: dict[str, Any]) -> list[str]:
    """Flows that the oracle sees differently, and lines that fit no flow."""
    topology = world(body)
    pods, outside = tuple(topology.pods.values()), tuple(topology.external.values())
    ends: tuple[Pod | External, ...] = (*pods, *outside)
    oracle = Oracle(topology, policies(case))
    flows = [
        Flow(source, target, port.number, port.protocol)
        for source in ends
        for target in pods
        if source is not target
        for port in target.ports
    ]
    flows += [Flow(source, end, 80) for source in ends for end in outside if source is not end]
    unused = set(case["expect"])
    wrong = []
    for flow in flows:
        source, _, target = written(flow).partition(" -> ")
        verdict = oracle.verdict(flow)
        expected = "allow"
        for line in case["expect"]:
            word, _, pattern = line.partition(" ")
            who, _, where = pattern.partition(" -> ")
            if fnmatchcase(source, who) and fnmatchcase(target, where):
                expected = word
                unused.discard(line)
        if verdict != expected:
            wrong.append(f"{written(flow)}: {verdict}, not {expected}")
    return wrong + [f"{line}: fits no flow" for line in sorted(unused)]


@pytest.mark.parametrize(("body", "case"), CASES)
def test_published_case_holds_for_every_flow(body: dict[str, Any], case: dict[str, Any]) -> None:
    assert mismatches(body, case) == []


@pytest.mark.parametrize("cni", ["calico", "cilium"])
def test_counter_example_of_the_fuzz_is_a_case_of_the_corpus(cni: str) -> None:
    wrong = []
    for case in draw_cases(5, 25, PROFILES[cni]):
        pods = [r for r in case.resources if r.kind == "Pod"]
        where = {f"{r.namespace}/{r.name}": f"10.244.0.{n}" for n, r in enumerate(pods, 1)}
        text = corpus_text(case, Scenario(case.resources, where), [], source="this test")
        found = yaml.safe_load(text)
        wrong += [f"{case.name}: {line}" for line in mismatches(found["world"], found["cases"][0])]
    assert wrong == []


@pytest.mark.parametrize("name", FILES)
def test_corpus_file_cites_its_source(name: str) -> None:
    assert len(FILES[name]["source"].split()) > 3
