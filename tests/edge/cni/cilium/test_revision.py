"""Which endpoints have not put the agent's policies into force yet."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.edge.cni.cilium.agents import CiliumAgents
from harness.edge.cni.cilium.revision import Revisions, behind, parse
from harness.errors import NotSettled
from tests.fakes.kube import FakeKube, agent_pod
from tests.fakes.kubectl import FakeExec, Said


def endpoint(
    name: str, revision: int, *, state: str = "ready", space: str = "shop"
) -> dict[str, Any]:
    return {
        "id": 1,
        "status": {
            "state": state,
            "labels": {"security-relevant": [f"k8s:io.kubernetes.pod.namespace={space}"]},
            "external-identifiers": {"k8s-pod-name": f"{space}/{name}"},
            "policy": {"realized": {"policy-revision": revision}},
        },
    }


def told(revision: int, *endpoints: dict[str, Any]) -> str:
    policies = json.dumps({"policy": "[]", "revision": revision}, indent=2)
    return f"{policies}\n\n{json.dumps(list(endpoints), indent=2)}\n"


@pytest.mark.parametrize(
    ("found", "late"),
    [
        (endpoint("web", 7), []),
        (endpoint("web", 8), []),
        (endpoint("web", 6), ["shop/web has realised revision 6, not 7"]),
        (endpoint("web", 6, space="bank"), []),
        (endpoint("web", 6, state="disconnecting"), []),
        (endpoint("web", 0, state="regenerating"), ["shop/web has realised revision 0, not 7"]),
    ],
)
def test_endpoint_of_these_namespaces_must_have_the_agents_revision(
    found: dict[str, Any], late: list[str]
) -> None:
    assert behind(*parse(told(7, found)), {"shop"}) == late


def test_endpoint_without_labels_is_nobodys() -> None:
    host = endpoint("host", 1)
    host["status"]["labels"] = None

    assert behind(7, [host], {"shop"}) == []


def revisions(*says: str) -> tuple[Revisions, FakeExec]:
    """The revisions of one agent that says this, one after the other, and the last one for ever."""
    kube, left = FakeKube(), list(says)
    kube.put(agent_pod("cilium-x", "cilium", "one"))
    kubectl = FakeExec(lambda *_: Said(left.pop(0) if len(left) > 1 else left[0]))
    return Revisions(CiliumAgents(kube, kubectl), kube), kubectl


def test_wait_ends_when_all_have_it() -> None:
    made, kubectl = revisions(told(7, endpoint("web", 6)), told(7, endpoint("web", 7)))

    made.realised({"shop"})

    assert len(kubectl.ran) == 2


def test_wait_that_ends_says_who_is_late() -> None:
    made, _ = revisions(told(7, endpoint("web", 6)))

    with pytest.raises(NotSettled) as caught:
        made.realised({"shop"})

    assert "shop/web has realised revision 6, not 7" in caught.value.seen


def labelled(*labels: str) -> dict[str, Any]:
    found = endpoint("web", 7)
    found["status"]["identity"] = {"id": 1, "labels": [f"k8s:{each}" for each in labels]}
    return found


def relabelled(*says: str, **more_labels: str) -> tuple[Revisions, FakeExec]:
    """The revisions of a cluster whose API has a pod `app: web` in a namespace `team: one`."""
    made, kubectl = revisions(*says)
    kube = made._kube
    assert isinstance(kube, FakeKube)
    meta = {"name": "shop", "labels": {"team": "one"}}
    kube.put({"kind": "Namespace", "metadata": meta})
    for name, more in (("web", {}), ("host", {"hostNetwork": True})):
        labels = {
            "app": "web",
            "controller.example/hash": "1",
            "pod-template-hash": "5d",
            **more_labels,
        }
        body = {"kind": "Pod", "metadata": {"namespace": "shop", "name": name, "labels": labels}}
        kube.put({**body, "spec": more, "status": {"phase": "Running"}})
    return made, kubectl


SPACE = "io.cilium.k8s.namespace.labels.team"


def test_pod_must_be_known_by_the_labels_that_it_has_now() -> None:
    before = told(7, labelled("app=old", f"{SPACE}=one"))
    between = told(7, labelled("app=web"))
    after = told(7, labelled("app=web", f"{SPACE}=one", "io.cilium.k8s.policy.cluster=default"))
    made, kubectl = relabelled(before, between, after)

    made.realised({"shop"})

    assert len(kubectl.ran) == 3


def test_a_cilium_that_leaves_out_labels_is_waited_for_only_once() -> None:
    made, kubectl = relabelled(told(7, labelled("app=web")))

    with pytest.raises(NotSettled) as caught:
        made.realised({"shop"})

    assert f"no endpoint of Cilium has the labels k8s:app=web, k8s:{SPACE}=one" in caught.value.seen
    asked = len(kubectl.ran)
    made.realised({"shop"})
    assert len(kubectl.ran) == asked + 1


def test_a_cilium_that_was_late_once_is_waited_for_again() -> None:
    late, at_last = labelled("app=old", f"{SPACE}=one"), labelled("app=web", f"{SPACE}=one")
    made, kubectl = relabelled(told(7, late))
    with pytest.raises(NotSettled):
        made.realised({"shop"})

    kubectl.answer = lambda *_: Said(told(7, at_last))
    made.realised({"shop"})
    kubectl.answer = lambda *_: Said(told(7, late))
    with pytest.raises(NotSettled):
        made.realised({"shop"})


def test_a_label_without_a_value_has_no_equals_sign() -> None:
    made, _ = relabelled(told(7, labelled("app=web", f"{SPACE}=one", "mark")), mark="")

    made.realised({"shop"})


def test_the_labels_of_the_identity_count_and_not_those_of_the_endpoint() -> None:
    gone = labelled("app=web", "mark", f"{SPACE}=one")
    gone["status"]["labels"]["security-relevant"] += ["k8s:app=web", f"k8s:{SPACE}=one"]
    made, _ = relabelled(told(7, gone))

    with pytest.raises(NotSettled, match="no endpoint of Cilium has the labels"):
        made.realised({"shop"})
