"""Cilium's account of drops: which events count, at which end, and under which policies."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.core.model import Direction
from harness.edge.api.livenames import LivePod
from harness.edge.cni.cilium.hubble import (
    HubbleDrops,
    by_direction,
    dropped_at,
    events,
    isolating,
    labels_of,
)
from harness.errors import ProbeError
from tests.fakes.kube import FakeKube, agent_pod
from tests.fakes.kubectl import FakeExec, Said

CLIENT, SERVER = LivePod("shop", "client"), LivePod("shop", "server")
POD = {
    "kind": "Pod",
    "metadata": {"namespace": "shop", "name": "server", "labels": {"app": "web"}},
    "spec": {"nodeName": "one"},
}


def event(uuid: str = "1", direction: str = "INGRESS", **more: Any) -> dict[str, Any]:
    return {
        "time": f"2099-01-01T00:00:0{uuid}Z",
        "uuid": uuid,
        "drop_reason_desc": "POLICY_DENIED",
        "traffic_direction": direction,
        "source": {"namespace": "shop", "pod_name": "client"},
        "destination": {"namespace": "shop", "pod_name": "server"},
        **more,
    }


def policy(name: str, subject: dict[str, Any], *, ingress: bool = True, deny: bool = True) -> Any:
    labels = {"io.cilium.k8s.policy.name": name, "io.cilium.k8s.policy.namespace": "shop"}
    return {
        "Subject": subject,
        "Ingress": ingress,
        "DefaultDeny": deny,
        "Labels": [{"key": key, "value": value} for key, value in labels.items()],
    }


HOME = {"k8s:io.kubernetes.pod.namespace": "shop"}


@pytest.mark.parametrize(
    ("direction", "end"),
    [("INGRESS", (SERVER, Direction.INGRESS)), ("EGRESS", (CLIENT, Direction.EGRESS))],
)
def test_drop_belongs_to_the_pod_at_that_end(direction: str, end: object) -> None:
    assert dropped_at(event(direction=direction)) == end


@pytest.mark.parametrize(
    "more",
    [
        {"drop_reason_desc": "UNSUPPORTED_L3_PROTOCOL"},
        {"traffic_direction": "TRAFFIC_DIRECTION_UNKNOWN"},
        {"destination": {"identity": 2}},
    ],
)
def test_what_no_policy_dropped_at_a_pod_does_not_count(more: dict[str, Any]) -> None:
    assert dropped_at(event(**more)) is None


def test_lost_events_give_no_verdict() -> None:
    lines = [json.dumps({"flow": event()}), json.dumps({"lost_events": {"num_events_lost": 3}})]

    with pytest.raises(ProbeError, match="lost events"):
        list(events("\n".join(lines)))


@pytest.mark.parametrize(
    ("found", "isolates"),
    [
        (policy("all", {"matchLabels": HOME}), True),
        (policy("web", {"matchLabels": {**HOME, "k8s:app": "web"}}), True),
        (policy("other", {"matchLabels": {**HOME, "any:app": "db"}}), False),
        (policy("elsewhere", {"matchLabels": {"k8s:io.kubernetes.pod.namespace": "bank"}}), False),
        (policy("egress", {"matchLabels": HOME}, ingress=False), False),
        (policy("adds", {"matchLabels": HOME}, deny=False), False),
        (
            policy(
                "in",
                {
                    "matchLabels": HOME,
                    "matchExpressions": [
                        {"key": "k8s:app", "operator": "NotIn", "values": ["web"]}
                    ],
                },
            ),
            False,
        ),
        (
            policy(
                "exists",
                {
                    "matchLabels": HOME,
                    "matchExpressions": [{"key": "k8s:app", "operator": "Exists"}],
                },
            ),
            True,
        ),
    ],
)
def test_policy_isolates_the_pods_that_its_subject_means(found: Any, isolates: bool) -> None:
    name = next(label["value"] for label in found["Labels"])
    wanted = (f"shop/{name}",) if isolates else ()

    assert isolating([found], labels_of(POD), Direction.INGRESS) == wanted


def hubble(*told: list[dict[str, Any]]) -> tuple[HubbleDrops, FakeExec]:
    """The drops on a node whose agent tells these events, one list after the other."""
    kube, left = FakeKube(), list(told)
    kube.put(POD, agent_pod("cilium-x", "cilium", "one"))

    def answer(namespace: str, pod: str, command: tuple[str, ...]) -> Said:
        if command[0] == "hubble":
            return Said("\n".join(json.dumps({"flow": e}) for e in left.pop(0)))
        return Said(json.dumps({"policy": "[]"}))

    kubectl = FakeExec(answer)
    return HubbleDrops(kube, kubectl), kubectl


def test_event_that_is_told_twice_counts_once() -> None:
    drops, kubectl = hubble([event("1")], [event("1"), event("2")], [event("2")])

    counts = [drops.read([SERVER])[SERVER, Direction.INGRESS].packets for _ in range(3)]

    assert counts == [1, 2, 2]
    assert [words[-1] for _, _, words in kubectl.ran if "hubble" in words][1:] == [
        "--since=2099-01-01T00:00:01Z",
        "--since=2099-01-01T00:00:02Z",
    ]


def test_packets_are_told_apart_by_the_port_that_they_came_from() -> None:
    tcp = {"TCP": {"source_port": 40001, "destination_port": 80, "flags": {"SYN": True}}}
    first = [event("1", l4=tcp), event("2", l4={"UDP": {"source_port": 5353}})]
    drops, _ = hubble(first, [event("3", l4=tcp), event("4", l4={"ICMPv4": {"type": 8}})])

    before, after = (drops.read([SERVER])[SERVER, Direction.INGRESS] for _ in range(2))

    assert after.by_port == {40001: 2, 5353: 1, 0: 1}
    assert after.since(before, {40001, 40002}) == 1


def test_rule_of_the_older_form_isolates_in_the_directions_that_it_names() -> None:
    """1.15 prints the rules of its policies as `CiliumNetworkPolicy` has them."""
    rule = {
        "endpointSelector": {"matchLabels": {**HOME, "any:app": "web"}},
        "ingress": [{}],
        "labels": policy("deny", {})["Labels"],
    }
    split = by_direction(rule)

    assert isolating(split, labels_of(POD), Direction.INGRESS) == ("shop/deny",)
    assert isolating(split, labels_of(POD), Direction.EGRESS) == ()
    assert by_direction(policy("deny", HOME)) == [policy("deny", HOME)]
