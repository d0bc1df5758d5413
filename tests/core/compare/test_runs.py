"""What differs between runs, row by row: the table of CNI differences explains it, or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from harness.core.compare.results import Results, results_of
from harness.core.compare.runs import Comparison, Kind, compare_runs
from harness.edge.cni.known import PROFILES

ROW: Mapping[str, Any] = {
    "tutorial": "netpol",
    "phase": "deny",
    "step": "open",
    "id": "open-client-to-web-80",
    "flow": {"from": "shop/client", "to": "svc/shop/web:80"},
    "documented": "connected",
    "documented_detail": None,
    "predicted": "connected",
    "predicted_detail": None,
    "observed": "connected",
    "observed_detail": None,
    "status": "pass",
    "problem": "",
    "lines": [],
    "only_on": None,
    "seconds": 1.0,
}


def document(*rows: Mapping[str, Any], cni: str = "calico", **other: Any) -> dict[str, Any]:
    """A labs.json with these rows, each of which states what differs from `ROW`."""
    return {
        "schema_version": 3,
        "environment": {"kubernetes": "v1.34.4", "cni": cni, "kernel": None},
        "partial": False,
        "interrupted": False,
        "offline": False,
        "rows": [{**ROW, **row} for row in rows],
        **other,
    }


def run_of(*rows: Mapping[str, Any], cni: str = "calico", **other: Any) -> Results:
    return results_of(document(*rows, cni=cni, **other), f"results/{cni}")


def compared(*runs: Results) -> Comparison:
    return compare_runs(runs, PROFILES)


def kinds(*runs: Results) -> Sequence[Kind]:
    return [difference.kind for difference in compared(*runs).differences]


FAILED = {"status": "fail", "observed": "timeout", "problem": "expected connected"}


def test_equal_runs_do_not_differ() -> None:
    found = compared(run_of({}), run_of({}))
    assert found.differences == ()
    assert found.compared == 1
    assert not found.unchecked


def test_how_long_a_row_took_is_no_difference() -> None:
    assert kinds(run_of({"seconds": 1.0}), run_of({"seconds": 90.0})) == []


@pytest.mark.parametrize(
    "other",
    [
        FAILED,
        {"observed": "refused"},
        {"documented": "refused"},
        {"predicted": None},
        {"status": "erratum"},
        {"observed": "shows", "observed_detail": "5"},
    ],
    ids=str,
)
def test_each_part_of_a_row_makes_a_difference(other: Mapping[str, Any]) -> None:
    assert kinds(run_of({}), run_of(other)) == [Kind.UNEXPLAINED]


def test_reason_of_a_failure_makes_a_difference_but_not_the_numbers_in_it() -> None:
    row = {**FAILED, "problem": "10.244.0.7 answered after 12 ms"}
    assert kinds(run_of(row), run_of({**row, "problem": "10.244.0.9 answered after 3 ms"})) == []
    assert kinds(run_of(row), run_of(FAILED)) == [Kind.UNEXPLAINED]


def test_address_of_a_name_counts_only_where_the_tutorial_names_it() -> None:
    rows = [
        {"documented": "resolved", "observed": "resolved", "observed_detail": f"10.96.0.{last}"}
        for last in (7, 8)
    ]
    assert kinds(*(run_of(row) for row in rows)) == []
    named = [{**row, "documented_detail": "10.96.0.7"} for row in rows]
    assert kinds(*(run_of(row) for row in named)) == [Kind.UNEXPLAINED]


KEPT = {"lines": ["established"], "documented": "shows", "documented_detail": "kept"} | {
    "observed": "shows",
    "observed_detail": "kept",
}
CUT = {**KEPT, "documented_detail": "cut", "observed_detail": "cut"}


def test_difference_that_the_table_of_cnis_has_is_explained_by_its_line() -> None:
    (found,) = compared(run_of(KEPT), run_of(CUT, cni="cilium")).differences
    assert found.kind is Kind.EXPLAINED
    line = "established (a connection that was open before a policy blocked its flow)"
    assert found.because == (f"{line}: calico: shows kept; cilium: shows cut",)


@pytest.mark.parametrize(
    ("left", "right", "cni"),
    [
        pytest.param(KEPT, CUT, "calico", id="one CNI does both"),
        pytest.param(KEPT, CUT, "other", id="a CNI that policylab does not know"),
        pytest.param(CUT, KEPT, "cilium", id="each does what the other should"),
        pytest.param(KEPT, {**CUT, "lines": []}, "cilium", id="the row follows no line"),
        pytest.param(KEPT, {**CUT, "status": "fail"}, "cilium", id="one run failed"),
        pytest.param(
            {**KEPT, "lines": ["unheard"]}, {**CUT, "lines": ["unheard"]}, "cilium", id="no line"
        ),
    ],
)
def test_nothing_else_is_explained(
    left: Mapping[str, Any], right: Mapping[str, Any], cni: str
) -> None:
    (found,) = compared(run_of(left), run_of(right, cni=cni)).differences
    assert found.kind is Kind.UNEXPLAINED
    assert found.because == ()


def test_profile_of_a_cni_that_policylab_does_not_know_comes_with_its_results() -> None:
    cut = run_of(CUT, cni="mine", profile={"established": "shows cut", "denied": "timeout"})
    (found,) = compared(run_of(KEPT), cut).differences
    assert found.kind is Kind.EXPLAINED
    assert found.because[0].endswith("calico: shows kept; mine: shows cut")


@pytest.mark.parametrize("profile", [{}, {"denied": "timeout"}, {"established": "shows kept"}])
def test_profile_that_does_not_tell_the_line_explains_nothing(profile: Mapping[str, str]) -> None:
    (found,) = compared(run_of(KEPT), run_of(CUT, cni="mine", profile=profile)).differences
    assert found.kind is Kind.UNEXPLAINED


def test_row_without_a_verdict_in_one_run_is_unchecked() -> None:
    unchecked = {"status": "not_checked", "observed": None, "problem": "the prober broke"}
    assert kinds(run_of({}), run_of(unchecked)) == [Kind.UNCHECKED]
    assert kinds(run_of({}), run_of(unchecked), run_of(FAILED)) == [Kind.UNEXPLAINED]


def test_rows_that_no_run_checked_are_counted() -> None:
    unchecked = {"status": "not_checked", "observed": None, "problem": "the prober broke"}
    found = compared(run_of(unchecked), run_of(unchecked))
    assert (found.differences, found.never_checked, found.unchecked) == ((), 1, True)


def test_row_of_one_run_only_is_unchecked_in_the_other() -> None:
    other = {"id": "open-client-to-web-81"}
    found = compared(run_of({}), run_of({}, other))
    assert [each.kind for each in found.differences] == [Kind.UNCHECKED]
    assert found.differences[0].rows[0] is None
    assert found.compared == 2


def test_lab_that_needs_one_cni_is_rightly_missing_on_another() -> None:
    lab = {"id": "fqdn", "only_on": "cilium"}
    (found,) = compared(run_of({}), run_of({}, lab, cni="cilium")).differences
    assert found.kind is Kind.EXPLAINED
    assert found.because == ("the lab runs on cilium only",)


@pytest.mark.parametrize("cni", ["cilium", ""])
def test_lab_that_needs_one_cni_and_is_missing_there_is_unchecked(cni: str) -> None:
    lab = {"id": "fqdn", "only_on": "cilium"}
    assert kinds(run_of({}, cni=cni), run_of({}, lab, cni="cilium")) == [Kind.UNCHECKED]


def test_tables_of_two_cnis_are_explained_without_a_cluster() -> None:
    left, right = (
        {**row, "status": "not_checked_offline", "observed": None} for row in (KEPT, CUT)
    )
    found = compared(run_of(left, offline=True), run_of(right, cni="cilium", offline=True))
    assert [each.kind for each in found.differences] == [Kind.EXPLAINED]


def test_row_that_a_cluster_showed_and_another_run_did_not_observe_is_unchecked() -> None:
    assert kinds(
        run_of({}), run_of({"status": "not_observed", "observed": None}, offline=True)
    ) == [Kind.UNCHECKED]


def test_without_rows_nothing_was_checked() -> None:
    assert compared(run_of(), run_of()).unchecked


def test_two_variants_of_one_cni_are_explained_by_their_columns() -> None:
    """A variant whose profile differs has a column of its own, and its runs name it."""
    usual = PROFILES["calico"]
    other = replace(usual, variant="made-up", established=PROFILES["cilium"].established)
    environment = {"cni": "calico", "profile": other.column}
    runs = run_of(KEPT), run_of(CUT, environment=environment)
    found = compare_runs(runs, {usual.column: usual, other.column: other})

    (difference,) = found.differences
    assert difference.kind is Kind.EXPLAINED
    (because,) = difference.because
    assert because.endswith("calico: shows kept; calico-made-up: shows cut")
    assert [run.cni for run in found.runs] == ["calico", "calico"]


def test_a_variant_that_policylab_does_not_know_explains_nothing() -> None:
    runs = run_of(KEPT), run_of(CUT, environment={"cni": "cilium", "profile": "cilium-other"})
    assert kinds(*runs) == [Kind.UNEXPLAINED]
