"""What a trial asks in short is what it would hear in full."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.core.grading.judge import Predicted
from harness.core.grading.marks import grade
from harness.core.grading.model import Assignment
from harness.core.grading.mutation.equal import first_difference, witnessed
from harness.core.grading.mutation.trial import Trial, said_of, spread
from harness.core.grading.submitting import read_submission
from harness.core.grading.world import world_of
from harness.core.manifests.reader import File, policies_of
from harness.core.model import NetworkPolicy
from harness.core.policy.oracle import Oracle
from harness.core.target.ask import Flow
from harness.edge.cni.known import PROFILES

SAMPLE = 12


@pytest.fixture(params=["lab12", "cilium-fqdn"])
def trial(request: pytest.FixtureRequest, assignment: Callable[[str], Assignment]) -> Trial:
    found = assignment(request.param)
    return Trial(world_of(found), PROFILES[found.cnis[0]])


def test_the_first_wrong_flow_is_the_answer_of_all_marks(trial: Trial) -> None:
    judge = Predicted(trial._profile)
    for variant in (*spread(trial.wrong, SAMPLE), *trial.right[:3]):
        files = [File(name, data) for name, data in variant.files]
        submission = read_submission(trial.world.assignment, variant.name, files)
        whole = said_of(grade(trial.world, submission, judge))
        said = trial.ours(variant)
        assert said.answer is whole.answer, variant.name
        rows = whole.why.removeprefix("points are lost in: ").split(", ")
        assert said.why == whole.why or any(f" {row}: " in said.why for row in rows)


def test_two_sets_of_policies_differ_if_some_flow_does(trial: Trial) -> None:
    """The comparison leaves out most flows: all of them, between all pods, say the same."""
    for variant in spread(trial.wrong, SAMPLE):
        files = [File(name, data) for name, data in variant.files]
        submission = read_submission(trial.world.assignment, variant.name, files)
        if submission.problem:
            continue
        after = tuple(policies_of(submission.resources))
        found = first_difference(trial._topology, trial._right, after)
        differ = _differ(trial, after)
        # Between pods alone: a difference outside is none of these flows.
        assert found is not None or not differ, variant.name


def _differ(trial: Trial, after: tuple[NetworkPolicy, ...]) -> bool:
    everybody = witnessed(trial._topology, (*trial._right, *after))
    oracles = [Oracle(everybody, policies) for policies in (trial._right, after)]
    pods = list(everybody.pods.values())
    ports = {(p.number, p.protocol) for pod in pods for p in pod.ports}
    return any(
        oracles[0].verdict(flow) is not oracles[1].verdict(flow)
        for source in pods
        for target in pods
        if source is not target
        for number, protocol in ports
        for flow in [Flow(source, target, number, protocol)]
    )
