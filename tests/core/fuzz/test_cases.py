"""Made-up cases: the same for the same seed, accepted by policylab, and about something."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from harness.core.fuzz.cases import Case, draw_cases
from harness.core.fuzz.result import asks_of, decided, judge, totals
from harness.core.fuzz.shrinking import smaller
from harness.core.lab.profile import TIMEOUT
from harness.core.manifests.library import POLICY_KINDS
from harness.core.observation import Answer, Attempt, Observation, Phase
from harness.core.outcome import Outcome, Reading
from harness.core.predict.scenario import Scenario
from harness.edge.cni.known import PROFILES
from harness.errors import ProbeError

SEEDS = range(3)
CNIS = ("calico", "cilium")


def cases(seed: int, cni: str, policies: int = 40) -> list[Case]:
    return list(draw_cases(seed, policies, PROFILES[cni]))


def addresses(case: Case) -> dict[str, str]:
    pods = [r for r in case.resources if r.kind == "Pod"]
    return {f"{r.namespace}/{r.name}": f"10.244.0.{n}" for n, r in enumerate(pods, 1)}


def scenario(case: Case) -> Scenario:
    return Scenario(case.resources, addresses(case))


@pytest.mark.parametrize("cni", CNIS)
def test_same_seed_gives_the_same_cases_and_another_gives_others(cni: str) -> None:
    first = [case.text for case in cases(1, cni)]
    assert first == [case.text for case in cases(1, cni)]
    assert first != [case.text for case in cases(2, cni)]


@pytest.mark.parametrize("wanted", [1, 7, 20])
def test_as_many_policies_as_asked_for(wanted: int) -> None:
    assert sum(len(case.policies) for case in cases(3, "calico", wanted)) == wanted


def test_more_policies_only_add_cases() -> None:
    few, more = cases(4, "cilium", 20), cases(4, "cilium", 60)
    assert [case.text for case in few[:-1]] == [case.text for case in more[: len(few) - 1]]


@pytest.mark.parametrize("cni", CNIS)
@pytest.mark.parametrize("seed", SEEDS)
def test_cases_are_decided_and_their_policies_bite(seed: int, cni: str) -> None:
    found: Counter[Outcome] = Counter()
    every = 0
    for case in cases(seed, cni):
        state = scenario(case)
        every += len(asks_of(state))
        found.update(reading.outcome for reading in decided(state).values())
    assert found[Outcome.TIMEOUT] > every / 10
    assert found[Outcome.CONNECTED] > every / 10
    assert found.total() == every, "the oracle leaves none of these open"


def test_nothing_is_drawn_in_which_the_profile_departs_from_the_api() -> None:
    departing = replace(
        PROFILES["calico"], name="made-up", ip_block_of_pods=TIMEOUT, rules_left_out=TIMEOUT
    )
    drawn = [body for case in draw_cases(1, 100, departing) for body in case.policies]
    assert "0.0.0.0/0" not in str(drawn)
    for spec in (body["spec"] for body in drawn if body["spec"].get("policyTypes")):
        assert {"ingress", "egress"} & spec.keys() <= {d.lower() for d in spec["policyTypes"]}


@pytest.mark.parametrize("seed", SEEDS)
def test_every_field_of_a_policy_is_drawn(seed: int) -> None:
    text = "".join(case.text for case in cases(seed, "calico", 100))
    for word in ("matchLabels", "In", "NotIn", "Exists", "DoesNotExist", "ipBlock", "except"):
        assert word in text
    for word in ("endPort", "UDP", "port: http", "namespaceSelector", "kubernetes.io/metadata"):
        assert word in text
    assert "CiliumNetworkPolicy" not in text
    assert "CiliumNetworkPolicy" in "".join(c.text for c in cases(seed, "cilium", 100))


def test_worlds_do_not_share_namespaces() -> None:
    spaces = {
        (case.world, r.name)
        for case in cases(1, "calico", 100)
        for r in case.resources
        if r.kind == "Namespace"
    }
    assert len({name for _, name in spaces}) == len(spaces)
    assert {world for world, _ in spaces} >= {1, 2, 3}


def test_what_was_not_seen_or_wavers_has_no_verdict() -> None:
    case = cases(1, "calico")[0]
    state = scenario(case)
    expected = decided(state)
    broken, wavering, dead, missing, wrong, *_ = expected
    seen = {ask: Answer(Observation(reading)) for ask, reading in expected.items()}
    seen[broken] = Answer(problem=ProbeError("the tool broke"))
    seen[wavering] = Answer(Observation(Reading(Outcome.UNSTABLE)))
    seen[dead] = Answer(Observation(Reading(Outcome.REFUSED), own=Reading(Outcome.REFUSED)))
    del seen[missing]
    other = {Outcome.TIMEOUT: Outcome.CONNECTED, Outcome.CONNECTED: Outcome.TIMEOUT}
    seen[wrong] = Answer(Observation(Reading(other[expected[wrong].outcome])))

    judged = judge(case, state, seen)

    assert len(judged.no_verdict) == 4
    assert [cell.ask for cell in judged.disagreed] == [wrong]
    assert judged.agreed == len(expected) - 5
    assert totals([judged]).cells == len(asks_of(state))


def test_attempt_that_gets_through_where_policies_deny_is_a_leak_and_elsewhere_no_verdict() -> None:
    case = max(cases(1, "calico"), key=lambda case: len(case.text))
    state = scenario(case)
    expected = decided(state)
    by_outcome = {reading.outcome: ask for ask, reading in expected.items()}
    attempts = (Attempt(Phase.TIMEOUT, 1250.0), Attempt(Phase.CONNECTED, 1.0))
    wavers = Answer(Observation(Reading(Outcome.UNSTABLE), attempts=attempts))
    seen = {ask: Answer(Observation(reading)) for ask, reading in expected.items()}
    seen[by_outcome[Outcome.TIMEOUT]] = seen[by_outcome[Outcome.CONNECTED]] = wavers

    judged = judge(case, state, seen)

    assert [cell.ask for cell in judged.disagreed] == [by_outcome[Outcome.TIMEOUT]]
    assert [str(cell.observed) for cell in judged.disagreed] == ["connected in 1 of 2 attempts"]
    assert len(judged.no_verdict) == 1


@pytest.mark.parametrize("cni", CNIS)
@pytest.mark.parametrize("seed", SEEDS)
def test_smaller_cases_are_smaller_and_readable(seed: int, cni: str) -> None:
    case = max(cases(seed, cni), key=lambda case: len(case.text))
    found = list(smaller(case))
    assert len(found) > 10
    for less in found:
        assert len(less.text) < len(case.text)
        assert less.bare == case.bare
        assert less.resources


def test_shrinking_to_the_end_leaves_no_policy() -> None:
    case = cases(2, "cilium")[0]
    while found := next(smaller(case), None):
        case = found
    assert not [body for body in case.objects if body["kind"] in POLICY_KINDS]
