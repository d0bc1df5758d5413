"""What a run counts as red: deviations, a baseline, repetitions; and the document of a run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.core.conformance.deviations import (
    Deviation,
    judged,
    known,
    read_deviations,
)
from harness.core.conformance.earlier import read_report
from harness.core.conformance.repeating import merged, wilson
from harness.core.conformance.report import Facts, Implementation, report
from harness.core.conformance.row import Level, Row, Status
from harness.errors import ContentError

LISTED = [Deviation("a", "it has no X", "https://example.org/1")]
FACTS = Facts(
    Implementation("calico", "v3.30.1"), "2026-11-26T18:00:00+00:00", 60.04, "policylab", "1"
)


def row(
    name: str,
    status: Status = Status.PASSED,
    level: Level = Level.CORE,
    features: tuple[str, ...] = ("ingress",),
) -> Row:
    return Row(name, level, features, status, "" if status is Status.PASSED else "because")


def red(*rows: Row, baseline: dict[str, Status] | None = None) -> list[str]:
    return [v.row.name for v in judged(rows, LISTED, baseline) if v.red]


def test_a_listed_failure_is_not_red_and_an_unlisted_is() -> None:
    assert red(row("a", Status.FAILED), row("b", Status.FAILED), row("c")) == ["b"]


def test_a_listed_case_that_passes_is_red() -> None:
    (verdict,) = judged([row("a")], LISTED)

    assert verdict.red
    assert verdict.says.startswith("it is listed as a deviation, and it passes")


def test_a_listed_case_that_fails_now_and_then_may_pass_as_well() -> None:
    listed = read_deviations(
        "deviations: [{case: a, reason: it has no X, link: 'https://there', sometimes: true}]",
        origin="d",
    )

    passed, failed = judged([row("a"), row("a", Status.FAILED)], listed)

    assert not passed.red
    assert passed.says == "it passed this time; a deviation is known: it has no X"
    assert not failed.red
    assert failed.says.startswith("a known deviation")


def test_a_case_that_fails_now_and_then_changes_nothing_against_a_baseline() -> None:
    listed = [replace(LISTED[0], sometimes=True)]

    (verdict,) = judged([row("a")], listed, {"a": Status.FAILED})

    assert (verdict.red, verdict.says) == (False, "the baseline has failed")


@pytest.mark.parametrize("status", [Status.SKIPPED, Status.NO_VERDICT])
def test_what_was_not_checked_is_never_red(status: Status) -> None:
    assert red(row("a", status), row("b", status)) == []


def test_what_was_not_checked_says_what_the_baseline_has() -> None:
    before = {"b": Status.PASSED, "c": Status.SKIPPED}

    lost, skipped = judged([row("b", Status.NO_VERDICT), row("c", Status.SKIPPED)], (), before)

    assert (lost.red, lost.says) == (False, "the baseline has passed")
    assert skipped.says == ""


def test_with_a_baseline_only_a_change_is_red() -> None:
    before = {"b": Status.FAILED, "c": Status.PASSED, "d": Status.FAILED}

    found = red(
        row("b", Status.FAILED),
        row("c", Status.FAILED),
        row("d"),
        row("new", Status.FAILED),
        baseline=before,
    )

    assert found == ["c", "d", "new"]


def test_a_baseline_is_an_earlier_report() -> None:
    document = report(judged([row("a"), row("b", Status.FAILED)]), FACTS)

    earlier = read_report(document, where="r")
    assert earlier.statuses == {"a": Status.PASSED, "b": Status.FAILED}
    assert earlier.facts == replace(FACTS, seconds=60.0)


def test_deviations_need_a_reason_and_a_link() -> None:
    text = "deviations: [{case: a, reason: it has no X, link: 'https://example.org/1'}]"

    assert read_deviations(text, origin="d") == tuple(LISTED)
    assert read_deviations("", origin="d") == ()
    with pytest.raises(ContentError, match="lacks `link`"):
        read_deviations("deviations: [{case: a, reason: none}]", origin="d")
    with pytest.raises(ContentError, match="listed twice"):
        read_deviations(text.replace("]", ", {case: a, reason: r, link: 'https://l'}]"), origin="d")
    with pytest.raises(ContentError) as caught:
        known(LISTED, ["ab", "c"], origin="d")
    assert caught.value.try_ == "did you mean ab?"


@pytest.mark.parametrize(
    ("passed", "runs", "low", "high"),
    # Agresti and Coull, The American Statistician 52 (1998), use the same interval.
    [(10, 10, 0.722, 1.0), (0, 10, 0.0, 0.278), (9, 10, 0.596, 0.982), (50, 100, 0.404, 0.596)],
)
def test_the_interval_of_a_share_is_wilsons(
    passed: int, runs: int, low: float, high: float
) -> None:
    assert wilson(passed, runs) == pytest.approx((low, high), abs=0.001)


def test_a_case_that_failed_once_has_failed_and_says_how_often_it_passed() -> None:
    found = merged([row("a"), row("a", Status.FAILED), row("a", Status.NO_VERDICT), row("a")])

    assert found.status is Status.FAILED
    assert found.why == "passed 2 of 4 runs (95 % interval 21% to 94%); because"
    assert merged([row("a")]).evidence == ()
    assert merged([row("a")] * 3).evidence == ("passed 3 of 3 runs (95 % interval 44% to 100%)",)


def test_the_document_has_the_shape_of_published_reports() -> None:
    rows = [
        row("a", Status.FAILED, Level.EXTENDED, ("ingress", "ip-block-of-pods")),
        row("s", Status.SKIPPED, Level.EXTENDED, ("sctp",)),
        row("b"),
        row("h", Status.PASSED, Level.EXTENDED, ("hairpin",)),
    ]

    found = report(judged(rows, LISTED), FACTS)

    (profile,) = found["profiles"]
    assert found["kind"] == "ConformanceReport"
    assert (found["implementation"]["project"], profile["name"]) == ("calico", "NetworkPolicy")
    assert profile["core"]["result"] == "success"
    assert profile["core"]["statistics"]["Passed"] == 1
    assert profile["extended"]["result"] == "failure"
    assert profile["extended"]["failedTests"] == ["a"]
    assert profile["extended"]["skippedTests"] == ["s"]
    assert profile["extended"]["unsupportedFeatures"] == ["ip-block-of-pods"]
    assert profile["extended"]["supportedFeatures"] == ["hairpin"]
    assert [each["name"] for each in found["rows"]] == ["a", "b", "h", "s"]
    assert found["policylab"]["red"] == []


def test_a_profile_without_a_row_is_no_success() -> None:
    (profile,) = report([], FACTS)["profiles"]

    assert profile["core"]["result"] == "partial"
