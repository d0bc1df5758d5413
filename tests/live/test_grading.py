"""On a live cluster: submissions get the marks of the prediction, and leave nothing behind."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from harness.core.grading.judge import Predicted
from harness.core.grading.marks import grade
from harness.core.grading.model import Status, Submission
from harness.core.grading.submitting import read_submission
from harness.core.grading.world import World, world_of
from harness.core.manifests.library import POLICY_APIS
from harness.core.manifests.reader import File
from harness.edge.cni.known import CNIS
from harness.edge.grading.account import ACCOUNT
from harness.edge.grading.assignments import load_assignment, shipped
from harness.edge.grading.observed import Observed
from harness.plays import Live
from harness.progress import Quiet

pytestmark = pytest.mark.live

LAB12 = world_of(load_assignment("lab12", CNIS))
OTHERS = [name for name in shipped() if name != "lab12"]
HOSTILE = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: all
  namespace: secure-zone
  annotations: {"x": "<script>alert(1)</script>\\e[2J"}
spec: {podSelector: {}, policyTypes: [Ingress], ingress: [{}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: mine, namespace: secure-zone}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{kind: Group, apiGroup: rbac.authorization.k8s.io, name: system:serviceaccounts}]
"""
WIDE = HOSTILE.partition("---")[0]


def right(world: World) -> str:
    return "\n---\n".join(file.data.decode() for file in world.assignment.reference)


def handed_in(world: World, text: str) -> Submission:
    return read_submission(world.assignment, "alice", [File("p.yaml", text.encode())])


@pytest.fixture(scope="module")
def judge(lab_live: Live) -> Iterator[Observed]:
    profile = lab_live.cluster.lane.value.profile
    with Observed(lab_live.cluster, lab_live.doors, lab_live.gate.fence, profile, Quiet()) as made:
        made.open(LAB12)
        yield made


@pytest.mark.parametrize("case", ["right", "nearly right", "wide", "right again"])
def test_marks_are_those_of_the_prediction(judge: Observed, lab_live: Live, case: str) -> None:
    solution = right(LAB12)
    nearly = solution.replace("port: 6379", "port: 5432")
    text = {"nearly right": nearly, "wide": WIDE}.get(case, solution)
    submission = handed_in(LAB12, text)

    found = grade(LAB12, submission, judge)

    assert found == grade(LAB12, submission, Predicted(lab_live.cluster.lane.value.profile))
    assert found.status is Status.GRADED
    assert _policies(lab_live) == []


def test_object_that_may_not_be_submitted_never_reaches_the_cluster(
    judge: Observed, lab_live: Live
) -> None:
    found = grade(LAB12, handed_in(LAB12, HOSTILE), judge)

    assert found.status is Status.UNGRADABLE
    bindings = lab_live.kube.list("rbac.authorization.k8s.io/v1", "RoleBinding", "secure-zone")
    assert "mine" not in [body["metadata"]["name"] for body in bindings]


@pytest.mark.usefixtures("judge")
def test_account_may_write_policies_in_the_assignments_namespaces_and_nothing_else(
    lab_live: Live,
) -> None:
    for space in LAB12.assignment.namespaces:
        assert _rights(lab_live, space) == {"networkpolicies.networking.k8s.io": "[create patch]"}
    for space in ("elsewhere", "kube-system", "default"):
        assert _rights(lab_live, space) == {}


@pytest.mark.parametrize("name", OTHERS)
def test_right_solution_has_all_points(judge: Observed, lab_live: Live, name: str) -> None:
    world = world_of(load_assignment(name, CNIS))
    if lab_live.cluster.lane.cni not in world.assignment.cnis:
        pytest.skip(f"{name} is for {', '.join(world.assignment.cnis)}")

    found = grade(world, handed_in(world, right(world)), judge)

    assert (found.status, found.score, found.problem) == (
        Status.GRADED,
        world.assignment.max_score,
        "",
    )
    assert _policies(lab_live) == []


def _policies(live: Live) -> list[str]:
    kinds = live.cluster.lane.value.profile.kinds
    found = [body for kind in sorted(kinds) for body in live.kube.list(POLICY_APIS[kind], kind)]
    names = [(body["metadata"]["namespace"], body["metadata"]["name"]) for body in found]
    return [f"{space}/{name}" for space, name in names if not space.startswith("policylab-gate")]


def _rights(live: Live, space: str) -> dict[str, str]:
    """What `kubectl auth can-i --list` says, but for what an account without any rights may do.

    Every account may ask about itself; which other rights all accounts have depends on Kubernetes.
    """
    nobody = _listed(live, space, ACCOUNT.rpartition(":")[0] + ":nobody")
    found = _listed(live, space, ACCOUNT)
    return {what: verbs for what, verbs in found.items() if nobody.get(what) != verbs}


def _listed(live: Live, space: str, account: str) -> dict[str, str]:
    words = [str(live.cluster.kubectl), "--kubeconfig", str(live.cluster.kubeconfig)]
    words += ["--as", account, "auth", "can-i", "--list", "-n", space, "--no-headers"]
    shown = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    lines = [line for line in shown.splitlines() if line[:1].strip()]
    return {line.split()[0]: line[line.rindex("[") :].strip() for line in lines}
