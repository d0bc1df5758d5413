"""The shipped cases: each is read, names its source, and the oracle agrees with every flow."""

from __future__ import annotations

import pytest

from harness.core.conformance.case import Case
from harness.core.conformance.features import FEATURES
from harness.core.conformance.offline import disagreements
from harness.core.conformance.row import Level
from harness.core.target.family import FAMILIES
from harness.edge.cni.known import CNIS
from harness.edge.conformance.shipped import deviations_of, shipped


@pytest.mark.parametrize("case", shipped(), ids=lambda case: case.name)
def test_the_oracle_agrees_with_every_flow_on_pods_of_every_family(case: Case) -> None:
    for families in FAMILIES.values():
        assert disagreements(case, families) == []


@pytest.mark.parametrize("case", shipped(), ids=lambda case: case.name)
def test_a_case_names_its_source_and_ends_its_sentence(case: Case) -> None:
    assert case.source.startswith("https://")
    assert case.about.endswith(".")


def test_every_feature_of_the_api_has_a_case() -> None:
    measured = {"made-up", "lifecycle", "latency"}
    used = {feature for case in shipped() for feature in case.features}

    assert FEATURES.keys() - used - measured == set()


def test_a_report_can_call_what_an_extended_case_is_about_unsupported() -> None:
    core = {feature for case in shipped() if case.level is Level.CORE for feature in case.features}
    extended = [case for case in shipped() if case.level is Level.EXTENDED]

    assert [case.name for case in extended if core >= {*case.features}] == []


def test_most_cases_are_core() -> None:
    levels = [case.level for case in shipped()]

    assert levels.count(Level.CORE) >= 80


@pytest.mark.parametrize("cni", CNIS)
def test_a_shipped_deviation_is_of_a_case_and_has_evidence(cni: str) -> None:
    names = {case.name for case in shipped()}

    for deviation in deviations_of(cni):
        assert deviation.case in names
        assert deviation.link.startswith("https://")
        assert deviation.reason
