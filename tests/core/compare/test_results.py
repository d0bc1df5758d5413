"""A labs.json from anybody: each part that is used is checked, and a wrong one is named."""

from __future__ import annotations

from typing import Any

import pytest

from harness.core.compare import results
from harness.core.compare.results import results_of
from harness.core.outcome import Outcome, Reading
from harness.errors import ContentError
from tests.core.compare.test_runs import ROW, document


def test_results_hold_what_is_compared() -> None:
    found = results_of(document({"observed": "timeout", "lines": ["denied"]}), "here")
    (row,) = found.rows.values()
    assert found.cni == "calico"
    assert found.environment == {"kubernetes": "v1.34.4", "cni": "calico"}
    assert row.flow == "shop/client -> svc/shop/web:80"
    assert row.observed == Reading(Outcome.TIMEOUT)
    assert row.lines == ("denied",)


def test_results_of_the_version_before_do_not_tell_their_lines() -> None:
    old = {key: value for key, value in ROW.items() if key not in ("lines", "only_on")}
    found = results_of({**document(), "schema_version": 2, "rows": [old]}, "here")
    assert not found.lines_told
    assert [row.lines for row in found.rows.values()] == [()]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ([], "the document is not an object of JSON"),
        ({}, "the document lacks `schema_version`"),
        (document(schema_version=1), "cannot read this version"),
        (document(schema_version=True), "cannot read this version"),
        (document(schema_version=10**400), "cannot read this version"),
        (document(schema_version=[1]), "cannot read this version"),
        (document(rows=None), "`rows` is not a list"),
        (document(rows={}), "`rows` is not a list"),
        (document(rows=[7]), "row 1 is not an object of JSON"),
        (document(rows=[{}]), "`flow` of row 1|row 1 lacks `flow`"),
        (document(environment=[]), "`environment` of the document is not an object"),
        (document(partial="no"), "`partial` of the document is not true or false"),
        (document({"status": "good"}), "`status` of row 1 is not a status"),
        (document({"status": ["pass"]}), "`status` of row 1 is not a status"),
        (document({"observed": "ok"}), "`observed` of row 1 is not an outcome"),
        (document({"observed": {}}), "`observed` of row 1 is not an outcome"),
        (document({"documented": None}), "`documented` of row 1 is not an outcome"),
        (document({"observed_detail": 5}), "`observed_detail` of row 1 is not a text"),
        (document({"id": None}), "`id` of row 1 is not a text"),
        (document({"flow": []}), "`flow` of row 1 is not an object of JSON"),
        (document({"lines": "denied"}), "`lines` of row 1 is not a list of texts"),
        (document({"lines": [1]}), "`lines` of row 1 is not a list of texts"),
        (document(profile=[]), "`profile` of the document is not an object"),
        (
            document(profile={"denied": "late"}),
            "`profile.denied` of the document is not an outcome",
        ),
        (document(profile={"denied": [1]}), "`profile.denied` of the document is not an outcome"),
        (document({}, {}), "row 2 has the same tutorial, phase and id as an earlier row"),
    ],
    ids=str,
)
def test_wrong_part_is_named(wrong: Any, says: str) -> None:
    with pytest.raises(ContentError, match=says) as caught:
        results_of(wrong, "results/here")
    assert "results/here" in str(caught.value)


def test_number_of_rows_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "MAX_ROWS", 2)
    rows = [{"id": str(number)} for number in range(3)]
    with pytest.raises(ContentError, match="at most 2 rows"):
        results_of(document(*rows), "here")


def test_long_texts_are_cut() -> None:
    found = results_of(document({"problem": "x" * 10**6}), "here")
    assert [len(row.problem) for row in found.rows.values()] == [results.MAX_TEXT]


def test_wrong_text_cannot_steer_the_terminal() -> None:
    with pytest.raises(ContentError) as caught:
        results_of(document({"status": "\x1b[2J"}), "here")
    assert "\x1b" not in str(caught.value)
    assert "\\x1b[2J" in str(caught.value)
