"""Submissions on a cluster in memory: an honest one gives the marks of the prediction.

A lie, a fault or a leftover never costs a student anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest

from harness.core.grading.judge import Predicted
from harness.core.grading.marks import grade
from harness.core.grading.model import Grade, Status, Submission
from harness.core.grading.submitting import read_submission
from harness.core.grading.world import World, world_of
from harness.core.manifests.reader import File
from harness.edge.api.kube import Kube, Object
from harness.edge.cni.known import CNIS, PROFILES
from harness.edge.grading.account import ACCOUNT, MARK, NAME
from harness.edge.grading.assignments import load_assignment, shipped
from harness.edge.grading.observed import Observed
from harness.errors import ClusterNotReady, ContentError
from harness.progress import Quiet
from tests.fakes.cluster import FakeCluster
from tests.fakes.lies import HalfDead, IgnoresEgress, IgnoresPorts, KeepsDeleted, LetsNobodyIn, Lie

DENY = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: all, namespace: secure-zone}
spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
"""
WIDE = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: all, namespace: secure-zone}
spec:
  podSelector: {}
  policyTypes: [Ingress, Egress]
  ingress: [{from: [{namespaceSelector: {}}], ports: [{port: 80}]}]
  egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8, 172.16.0.0/12]}}]}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: all, namespace: frontend-zone}
spec: {podSelector: {}, policyTypes: [Ingress], ingress: [{from: [{podSelector: {}}]}]}
"""


@cache
def _world(name: str) -> World:
    return world_of(load_assignment(name, CNIS))


def world(name: str = "lab12") -> World:
    return _world(name)


def right(name: str = "lab12") -> str:
    return "\n---\n".join(file.data.decode() for file in world(name).assignment.reference)


def nearly(text: str) -> str:
    return text.replace("port: 6379", "port: 5432")


def submission(text: str, id_: str = "alice", name: str = "lab12") -> Submission:
    return read_submission(world(name).assignment, id_, [File("p.yaml", text.encode())])


@dataclass
class Room:
    """A judge on a cluster in memory."""

    cluster: FakeCluster
    name: str = "lab12"
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        profile = PROFILES[self.cluster.cni.name]
        cluster = self.cluster
        self.judge = Observed(
            cluster.value(), cluster, lambda: cluster.clock.take(1.0), profile, self
        )

    step = Quiet().step

    def note(self, text: str) -> None:
        self.said.append(text)

    def grade(self, text: str, id_: str = "alice") -> Grade:
        with_names = submission(text, id_, self.name)
        return grade(world(self.name), with_names, self.judge)

    def policies(self) -> list[str]:
        kinds = ("NetworkPolicy", "CiliumNetworkPolicy")
        return [f"{ns}/{name}" for kind, ns, name in self.cluster.objects if kind in kinds]


def predicted(text: str, cni: str = "calico", name: str = "lab12") -> Grade:
    return grade(world(name), submission(text, name=name), Predicted(PROFILES[cni]))


def marks(found: Grade) -> tuple[object, ...]:
    flows = tuple((f.source, f.target, f.port, f.protocol, f.got, f.points) for f in found.flows)
    return found.status, found.score, found.max_score, found.held, flows


def pairs() -> list[tuple[str, str]]:
    return [(name, cni) for name in shipped() for cni in world(name).assignment.cnis]


@pytest.mark.parametrize(("name", "cni"), pairs())
def test_right_solution_has_all_points_on_each_cni_that_the_assignment_names(
    name: str, cni: str
) -> None:
    room = Room(FakeCluster(cni), name)

    found = room.grade(right(name))

    assert (found.status, found.score) == (Status.GRADED, world(name).assignment.max_score)
    assert room.policies() == []


def test_marks_are_those_of_the_prediction_in_any_order_and_any_number_of_times() -> None:
    texts = {"right": right(), "nearly": nearly(right()), "deny": DENY, "wide": WIDE}
    wanted = {name: marks(predicted(text)) for name, text in texts.items()}
    room = Room(FakeCluster())

    for order in (list(texts), [*reversed(texts)]):
        assert {name: marks(room.grade(texts[name])) for name in order} == wanted

    assert len({score for _, score, *_ in wanted.values()}) == len(texts)


def test_policies_are_made_anew_and_by_an_account_that_may_do_nothing_else() -> None:
    room = Room(FakeCluster())
    room.grade(DENY)
    room.cluster.calls.clear()

    room.grade(WIDE)

    changes = [call for call in room.cluster.calls if "NetworkPolicy secure-zone/all" in call]
    assert changes == [
        "apply NetworkPolicy secure-zone/all",
        "delete NetworkPolicy secure-zone/all",
    ]
    hand = room.cluster.acting_as(ACCOUNT)
    for body in (_policy("elsewhere"), _policy("kube-system"), _pod("secure-zone")):
        with pytest.raises(ContentError, match="refuses"):
            hand.apply(body)
    assert [k for k in room.cluster.objects if k[0] == "ClusterRoleBinding"] == []
    roles = [key[1:] for key in room.cluster.objects if key[0] == "Role"]
    assert sorted(roles) == [("frontend-zone", NAME), ("secure-zone", NAME)]


def test_policy_that_the_api_server_refuses_costs_nobody_a_point() -> None:
    class Strict(FakeCluster):
        def acting_as(self, account: str) -> Kube:
            return super().acting_as(f"{account}-of-somebody-else")

    found = Room(Strict()).grade(right())

    assert found.status is Status.NOT_CHECKED
    assert found.score == found.max_score == 0
    assert "forbidden" in found.problem


@pytest.mark.parametrize("lie", [LetsNobodyIn(), IgnoresPorts(), IgnoresEgress()])
def test_flow_about_which_prediction_and_cluster_differ_is_held_back(lie: Lie) -> None:
    found = Room(FakeCluster(lie=lie)).grade(right())

    assert found.status is Status.NOT_CHECKED
    assert found.held > 0
    assert found.score == found.max_score
    assert "the prediction is" in found.problem
    assert "the cluster differs" in found.problem


def test_server_that_hangs_costs_no_points() -> None:
    found = Room(FakeCluster(lie=HalfDead("secure-zone", "payment-api"))).grade(right())

    assert found.status is Status.NOT_CHECKED
    assert found.score == found.max_score


def test_policy_of_another_that_stays_in_force_never_counts_for_the_next() -> None:
    room = Room(FakeCluster(lie=KeepsDeleted("secure-zone", "all")))
    first = room.grade(DENY, "alice")

    second = room.grade(right(), "bob")

    assert first.status is Status.GRADED
    assert second.status is Status.NOT_CHECKED
    assert second.score == second.max_score


def test_policies_that_a_killed_run_left_are_removed_wherever_they_are() -> None:
    cluster = FakeCluster()
    cluster.put({"kind": "Namespace", "metadata": {"name": "old", "labels": {}}})
    left = _policy("old")
    cluster.put({**left, "metadata": {**left["metadata"], "labels": MARK}})
    room = Room(cluster)

    room.judge.open(world())

    assert room.policies() == []


def test_policy_that_comes_back_is_told_and_nothing_more_is_checked() -> None:
    class Clingy(FakeCluster):
        def delete(self, body: Object, *, grace: int | None = None) -> None:
            if body["kind"] != "NetworkPolicy":
                super().delete(body, grace=grace)

    room = Room(Clingy())

    found = [room.grade(DENY, "alice"), room.grade(right(), "bob")]

    assert [one.status for one in found] == [Status.NOT_CHECKED] * 2
    assert "still there" in found[0].problem
    assert "the cluster failed before" in found[1].problem


def test_namespace_of_somebody_else_is_refused_in_words() -> None:
    cluster = FakeCluster()
    cluster.put({"kind": "Namespace", "metadata": {"name": "secure-zone", "labels": {}}})

    with pytest.raises(ContentError, match="policylab did not make it"):
        Room(cluster).judge.open(world())


def test_pods_that_changed_are_made_anew_before_the_next() -> None:
    room = Room(FakeCluster())
    room.grade(DENY)
    pod = room.cluster.objects["Pod", "secure-zone", "payment-api"]
    pod["metadata"]["labels"] = {"app": "web-server"}
    pod["metadata"]["managedFields"] = [{"manager": "kubectl-label"}]
    old = pod["metadata"]["uid"]

    found = room.grade(right())

    assert marks(found) == marks(predicted(right()))
    assert room.cluster.objects["Pod", "secure-zone", "payment-api"]["metadata"]["uid"] != old


def test_cluster_that_dies_in_mid_course_leaves_the_rest_unchecked() -> None:
    room = Room(Dying())
    first = room.grade(DENY, "alice")
    room.cluster.dead = True  # type: ignore[attr-defined]

    rest = [room.grade(right(), "bob"), room.grade(right(), "carol")]

    assert first.status is Status.GRADED
    assert [one.status for one in rest] == [Status.NOT_CHECKED] * 2
    assert [one.score for one in rest] == [one.max_score for one in rest] == [0, 0]
    room.judge.__exit__()
    assert any("removed at the next start" in line for line in room.said)


class Dying(FakeCluster):
    """A cluster whose API answers nobody any more once it is dead."""

    dead = False

    def _known(self, api_version: str) -> None:
        if self.dead:
            raise ClusterNotReady("the Kubernetes API does not answer")
        super()._known(api_version)


def test_interrupt_leaves_no_policy() -> None:
    class Interrupted(FakeCluster):
        def apply(self, body: Object) -> dict[str, Any]:
            found = super().apply(body)
            if body["kind"] == "NetworkPolicy":
                raise KeyboardInterrupt
            return found

    room = Room(Interrupted())

    with pytest.raises(KeyboardInterrupt), room.judge:
        room.grade(right())

    assert room.policies() == []


def _policy(namespace: str) -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "one", "namespace": namespace},
        "spec": {"podSelector": {}},
    }


def _pod(namespace: str) -> Mapping[str, Any]:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": namespace}}


def test_names_lead_each_submission_where_no_other_was_led() -> None:
    room = Room(FakeCluster("cilium"), "cilium-fqdn")
    led: list[str] = []
    for student in ("alice", "bob"):
        assert room.grade(right("cilium-fqdn"), student).status is Status.GRADED
        sites = room.cluster.sites[-1][1]
        led.append(sites["kubernetes.io"].address)

    assert len(set(led)) == len(led)
    room.judge.__exit__()
    assert room.cluster.sites[-1][1] == room.cluster.sites[0][1]
