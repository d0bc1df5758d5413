"""The ground's flows are what the oracle says of its pods and policies."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pytest

from harness.core.manifests.reader import Resource, parse
from harness.core.model import PodRef, Protocol
from harness.core.outcome import Outcome
from harness.core.predict.scenario import Scenario
from harness.core.target import PodPort
from harness.core.target.ask import Ask
from harness.edge.conformance.life.birth import KINDS, newborn_pod
from harness.edge.conformance.life.constant import CALL_PORT, FIRST_PORT, NEWBORNS
from harness.edge.conformance.life.disturbing import strangers
from harness.edge.conformance.life.flipping import deny
from harness.edge.conformance.life.ground import (
    CLIENT,
    NAMESPACE,
    Aimed,
    flows,
    pods,
    policies,
    resources,
)

PODS = resources(pods("one", "two"), "image")
NEWBORN = newborn_pod("newborn", "one", "image", dict.fromkeys(KINDS, NEWBORNS), ["1.2.3.4:1:1"])


def opens(objects: Iterable[Resource], source: str, server: str, port: int = FIRST_PORT) -> bool:
    target = PodPort(PodRef(NAMESPACE, server), port, Protocol.UDP)
    found = Scenario(tuple(objects)).predict(Ask(PodRef(NAMESPACE, source), target))
    assert found.reading is not None
    return found.reading.outcome is not Outcome.TIMEOUT


@pytest.mark.parametrize("each", flows(far=True), ids=lambda each: each.flow.name)
@pytest.mark.parametrize("source", [CLIENT, "newborn"])
def test_policies_decide_each_flow_as_the_stream_expects(each: Aimed, source: str) -> None:
    objects = (*PODS, NEWBORN)

    assert opens(objects, source, each.server)
    assert opens((*objects, *policies()), source, each.server) is each.flow.is_open


@pytest.mark.parametrize("each", flows(far=True), ids=lambda each: each.flow.name)
def test_churn_decides_nothing_about_them(each: Aimed) -> None:
    objects = (*PODS, *policies(), *parse(json.dumps(strangers(3)), origin="churn"))

    assert opens(objects, CLIENT, each.server) is each.flow.is_open


def test_nobody_may_call_a_newborn() -> None:
    objects = (*PODS, NEWBORN, *policies())

    assert not opens(objects, "open-near", "newborn", CALL_PORT)


def test_policy_of_the_latency_closes_what_was_open() -> None:
    objects = (*PODS, *policies())

    assert opens(objects, CLIENT, "flip-far")
    assert not opens((*objects, *parse(json.dumps(deny()), origin="latency")), CLIENT, "flip-far")


def test_flows_to_another_node_need_one() -> None:
    assert {each.server for each in flows(far=False)} <= set(pods("one", ""))
    assert {each.server for each in flows(far=True)} <= set(pods("one", "two"))
