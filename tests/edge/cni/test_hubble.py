"""Cilium's account of drops: which events count, at which end, and under which policies."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from harness.core.model import Direction
from harness.core.target import PodRef
from harness.edge.cni.hubble import HubbleDrops, dropped_at, events, isolating, labels_of
from harness.errors import ProbeError

CLIENT, SERVER = PodRef("shop", "client"), PodRef("shop", "server")
POD = {"metadata": {"namespace": "shop", "labels": {"app": "web"}}, "spec": {"nodeName": "one"}}


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


class Kube:
    where = "here"

    def get(self, *_: str) -> dict[str, Any]:
        return POD

    def list(self, *_: str, selector: str) -> list[dict[str, Any]]:
        return [{"metadata": {"name": "cilium-x"}, "spec": {"nodeName": "one"}}]


def fake_run(told: list[list[dict[str, Any]]], asked: list[list[str]]) -> Any:
    def answer(words: list[str], timeout: float) -> Any:
        asked.append(words)
        if "hubble" in words:
            text = "\n".join(json.dumps({"flow": e}) for e in told.pop(0))
        else:
            text = json.dumps({"policy": "[]"})
        return SimpleNamespace(stdout=text)

    return answer


def test_event_that_is_told_twice_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    told = [[event("1")], [event("1"), event("2")], [event("2")]]
    asked: list[list[str]] = []

    monkeypatch.setattr("harness.edge.cni.agents.run", fake_run(told, asked))
    drops = HubbleDrops(Kube(), ["kubectl"])  # type: ignore[arg-type]
    counts = [drops.read([SERVER])[SERVER, Direction.INGRESS].packets for _ in range(3)]

    assert counts == [1, 2, 2]
    assert [words[-1] for words in asked if "hubble" in words][1:] == [
        "--since=2099-01-01T00:00:01Z",
        "--since=2099-01-01T00:00:02Z",
    ]


def test_packets_are_told_apart_by_the_port_that_they_came_from(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tcp = {"TCP": {"source_port": 40001, "destination_port": 80, "flags": {"SYN": True}}}
    first = [event("1", l4=tcp), event("2", l4={"UDP": {"source_port": 5353}})]
    told = [first, [event("3", l4=tcp), event("4", l4={"ICMPv4": {"type": 8}})]]
    monkeypatch.setattr("harness.edge.cni.agents.run", fake_run(told, []))
    drops = HubbleDrops(Kube(), ["kubectl"])  # type: ignore[arg-type]

    before, after = (drops.read([SERVER])[SERVER, Direction.INGRESS] for _ in range(2))

    assert after.by_port == {40001: 2, 5353: 1, 0: 1}
    assert after.since(before, {40001, 40002}) == 1
