"""The JSON of lint: valid by its own schema, complete, with the words of the core."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import jsonschema
import pytest

from harness.core.lint.finding import Sure
from harness.core.lint.table import BY_ID, RULES
from harness.core.outcome import Verdict
from harness.report.lint.document import to_json
from tests.core.lint.test_sides import API_TO_DB, WORLD
from tests.core.lint.worlds import linted, policy

SCHEMA: dict[str, Any] = json.loads(
    files("harness.report").joinpath("templates/lint.schema.json").read_text(encoding="utf-8")
)
BAD = (
    *WORLD,
    policy("zone/a", API_TO_DB),
    policy(
        "zone/b",
        "  podSelector: {matchLabels: {app: nobody}}  # policylab: ignore selects-nobody soon\n",
    ),
)


def test_a_document_is_valid_by_its_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    validator = jsonschema.Draft202012Validator(SCHEMA)

    document = to_json(linted(*BAD), Sure.POSSIBLE)

    validator.validate(json.loads(json.dumps(document)))
    assert [found["rule"] for found in document["findings"]] == ["void-by-other-side"]
    assert document["ignored"][0]["ignored_by"]["reason"] == "soon"
    assert document["findings"][0]["flow"]["mended"] == "allow"


@pytest.mark.parametrize(
    "change",
    [
        {"rule": "Void"},
        {"sure": "perhaps"},
        {"line": 0},
        {"flow": None},
        {"no_flow": "why"},
        {"extra": 1},
    ],
)
def test_a_finding_that_is_not_as_the_schema_says_is_refused(change: dict[str, object]) -> None:
    document = to_json(linted(*BAD), Sure.POSSIBLE)
    document["findings"][0] |= change

    assert list(jsonschema.Draft202012Validator(SCHEMA).iter_errors(document))


def test_the_schema_knows_the_words_of_the_core() -> None:
    assert SCHEMA["$defs"]["sure"]["enum"] == [sure.value for sure in Sure]
    assert SCHEMA["$defs"]["verdict"]["enum"] == [verdict.value for verdict in Verdict]


def test_less_sure_findings_are_counted_and_not_listed() -> None:
    document = to_json(linted(*BAD), Sure.CERTAIN)

    assert document["findings"] == []
    assert document["summary"]["less_sure"] == 1


def test_each_rule_has_one_sentence_and_a_name_that_a_person_can_type() -> None:
    assert len(BY_ID) == len(RULES)
    for rule in RULES:
        assert rule.id == rule.id.lower().replace("_", "-")
        assert rule.meaning.endswith(".")
        assert rule.meaning[:-1].count(". ") == 0
