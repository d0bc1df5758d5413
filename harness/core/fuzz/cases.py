"""Random worlds and policies, on which the oracle and a CNI must agree. A seed fixes the cases.

A world (namespaces and pods) is small and dense: with few labels, ports and names, policies often
select pods, and similar pods differ in one point. Several cases share a world, because pods start
slowly and Cilium needs long for changed labels (over 15 s when all labels change, measured). Cases
of a world differ only in their policies. A case is YAML, as in a lab, and
`harness.core.manifests.reader` reads it.

The drawing leaves out everything that the oracle leaves open, and everything in which the CNI's
profile departs from the API: ipBlocks over pods if an ipBlock never matches a pod
(ip_block_of_pods), and rules of a direction that policyTypes leaves out if the CNI enforces them
(rules_left_out; this fuzz found it, and tests/live/test_fuzz.py shows it).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from random import Random
from typing import Any

import yaml

from harness.core.fuzz import ciliumcases
from harness.core.fuzz.drawing import (
    APPS,
    SPACE_LABELS,
    draw_labels,
    draw_ports,
    draw_selector,
    some,
)
from harness.core.lab.profile import CniProfile
from harness.core.manifests.library import POLICY_KINDS
from harness.core.manifests.reader import Resource, parse
from harness.core.model import CILIUM_POLICY, Direction
from harness.core.probe.container import prober_container
from harness.core.target.family import IPV4, Families, Family

PREFIX = "policylab-fuzz"
"""The prefix of all namespaces; on the cluster the number of the world follows it."""

TCP_PORTS, UDP_PORTS = (8080, 8081, 9090), (8080,)
"""The ports on which every pod's prober listens."""

CASES_OF_A_WORLD = 14

_MOST_POLICIES = 4
_OUTSIDE = ("192.0.2.0/24", "198.51.100.0/25")

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Case:
    """One state of the cluster: namespaces and pods with their labels, and policies.

    Attributes:
        name: the case's name in reports.
        world: the number of its world, from 1 on; cases of one world differ only in their policies.
        objects: the namespaces, pods and policies, as YAML has them.
        run: a few letters that tell the run from others on the cluster; empty if there is one only.
    """

    name: str
    world: int
    objects: tuple[Body, ...]
    run: str = ""

    @property
    def policies(self) -> tuple[Body, ...]:
        """The policies among the objects."""
        return tuple(body for body in self.objects if body["kind"] in POLICY_KINDS)

    @property
    def text(self) -> str:
        """The manifests, as a file would have them."""
        return yaml.safe_dump_all(self.objects, sort_keys=False)

    @property
    def bare(self) -> Case:
        """The same case without policies."""
        return replace(
            self, objects=tuple(b for b in self.objects if b["kind"] not in POLICY_KINDS)
        )

    @property
    def prefix(self) -> str:
        """The prefix of its namespaces on the cluster."""
        return "-".join(filter(None, (PREFIX, self.run, str(self.world))))

    @property
    def resources(self) -> tuple[Resource, ...]:
        """The objects, in the namespaces of their world.

        Raises:
            ManifestError: policylab cannot read them, so the generator is wrong.
        """
        return parse(self.text.replace(PREFIX, self.prefix), origin=self.name)


def draw_cases(
    seed: int, policies: int, cni: CniProfile, families: Families = IPV4
) -> Iterator[Case]:
    """Cases with `policies` policies in total.

    The same seed, CNI and families of addresses give the same cases.
    """
    number = 0
    while policies > 0:
        case = _draw_case(seed, number, cni, families)
        case = replace(case, objects=(*case.bare.objects, *case.policies[:policies]))
        yield case
        policies -= len(case.policies)
        number += 1


def _draw_case(seed: int, number: int, cni: CniProfile, families: Families) -> Case:
    world = number // CASES_OF_A_WORLD + 1
    there = _draw_world(_random(seed, f"world {world}"))
    spaces = [body["metadata"]["name"] for body in there if body["kind"] == "Namespace"]
    draw = _random(seed, f"{cni.name} {number}")
    found = tuple(
        _draw_policy(draw, f"p{count}", spaces, cni, families)
        for count in range(1, draw.randint(1, _MOST_POLICIES) + 1)
    )
    return Case(f"case-{number + 1}", world, (*there, *found))


def _random(seed: int, what: str) -> Random:
    return Random(f"{seed} {what}")  # noqa: S311 - cases must come again, not be secret


def _draw_world(draw: Random) -> tuple[Body, ...]:
    """Two or three namespaces and four to six pods; the names of ports differ from pod to pod.

    Often a namespace has the labels of the one before: only its name tells the two apart.
    """
    spaces = [f"{PREFIX}-{letter}" for letter in "abc"[: draw.randint(2, 3)]]
    labels: list[dict[str, str]] = []
    for _ in spaces:
        twin = labels and draw.random() < 0.4  # noqa: PLR2004 - see above
        labels.append(labels[-1] if twin else draw_labels(draw, SPACE_LABELS))
    namespaces = [
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": name, "labels": dict(found)},
        }
        for name, found in zip(spaces, labels, strict=True)
    ]
    # Every namespace has a pod; the other pods are in random namespaces.
    homes = [*spaces, *(draw.choice(spaces) for _ in range(draw.randint(4, 6) - len(spaces)))]
    return (*namespaces, *(_pod(draw, f"pod-{n}", home) for n, home in enumerate(homes, 1)))


def _pod(draw: Random, name: str, home: str) -> Body:
    names = draw.sample(("http", "api", "metrics", ""), len(TCP_PORTS))
    tcp = zip(TCP_PORTS, names, ["TCP"] * len(TCP_PORTS), strict=True)
    udp = zip(UDP_PORTS, [draw.choice(("dns", ""))], ["UDP"], strict=True)
    ports = [
        {"containerPort": number, "protocol": protocol} | ({"name": called} if called else {})
        for number, called, protocol in (*tcp, *udp)
    ]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": home, "labels": draw_labels(draw, APPS)},
        "spec": {
            "terminationGracePeriodSeconds": 0,
            "automountServiceAccountToken": False,
            "containers": [prober_container(ports=ports)],
        },
    }


def _draw_policy(
    draw: Random, name: str, spaces: list[str], cni: CniProfile, families: Families
) -> Body:
    meta = {"name": name, "namespace": draw.choice(spaces)}
    if CILIUM_POLICY in cni.kinds and draw.random() < ciliumcases.SHARE:
        return ciliumcases.draw_policy(draw, meta, spaces)
    spec: dict[str, Any] = {"podSelector": draw_selector(draw, APPS)}
    types = draw.choice((["Ingress"], ["Egress"], ["Ingress", "Egress"], []))
    if types:
        spec["policyTypes"] = types
    for direction in Direction:
        # Rules of a direction that policyTypes leaves out must have no effect: draw some, but
        # rarely.
        idle = cni.ignores_rules_left_out and draw.random() < 0.1  # noqa: PLR2004
        if direction in (types or ["Ingress", "Egress"]) or idle:
            rules = some(
                draw, (1, 4, 3), partial(_draw_rule, draw, direction, spaces, cni, families)
            )
            if rules or draw.random() < 0.5:  # noqa: PLR2004 - an empty list is as good as none
                spec[direction.lower()] = rules
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": meta,
        "spec": spec,
    }


def _draw_rule(
    draw: Random, direction: Direction, spaces: list[str], cni: CniProfile, families: Families
) -> Body:
    side = "from" if direction is Direction.INGRESS else "to"
    peers = some(draw, (2, 5, 2), lambda: _draw_peer(draw, spaces, cni, families))
    ports = some(draw, (4, 4, 2), lambda: draw_ports(draw))
    return ({side: peers} if peers else {}) | ({"ports": ports} if ports else {})


def _draw_peer(draw: Random, spaces: list[str], cni: CniProfile, families: Families) -> Body:
    pods = draw_selector(draw, APPS)
    match draw.choices(("pods", "namespaces", "both", "block"), (6, 5, 6, 2))[0]:
        case "pods":
            return {"podSelector": pods}
        case "namespaces":
            return {"namespaceSelector": _draw_spaces(draw, spaces)}
        case "both":
            return {"namespaceSelector": _draw_spaces(draw, spaces), "podSelector": pods}
    blocks: list[Body] = [{"cidr": cidr} for cidr in _OUTSIDE]
    if cni.ip_blocks_mean_pods:
        blocks += [
            {"cidr": "0.0.0.0/0"},
            {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]},
            {"cidr": "10.0.0.0/8", "except": ["10.128.0.0/9"]},
        ]
        if Family.IPV6 in families:
            blocks += [
                {"cidr": "::/0"},
                {"cidr": "::/0", "except": ["fd00:10:244::/56"]},
                {"cidr": "fd00::/8", "except": ["fd00:8000::/17"]},
            ]
    return {"ipBlock": draw.choice(blocks)}


def _draw_spaces(draw: Random, spaces: list[str]) -> Body:
    if draw.random() < 0.2:  # noqa: PLR2004 - by name, as tutorials do
        return {"matchLabels": {"kubernetes.io/metadata.name": draw.choice(spaces)}}
    return draw_selector(draw, SPACE_LABELS)
