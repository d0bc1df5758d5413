"""SARIF: as OASIS writes it, with rules, levels, places and suppressions that fit together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from harness.core.lint.finding import Finding, Fix, Spot, Sure
from harness.core.lint.ignores import Ignore
from harness.core.lint.linting import Ignored, Linted
from harness.core.lint.table import RULES
from harness.core.manifests.basis import Basis
from harness.report.lint.sarif import to_sarif, uri
from tests.core.lint.worlds import linted
from tests.report.lint.test_document import BAD

SCHEMA: dict[str, Any] = json.loads(
    Path(__file__).with_name("sarif.schema.json").read_text(encoding="utf-8")
)
VALIDATOR = jsonschema.Draft202012Validator(
    SCHEMA, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
)


def sarif(*objects: str, sure: Sure = Sure.POSSIBLE) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(to_sarif(linted(*objects), sure)))
    return found


@pytest.mark.parametrize("objects", [BAD, ()])
def test_a_report_is_valid_by_the_schema(objects: tuple[str, ...]) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    VALIDATOR.validate(sarif(*objects))


def test_a_result_names_its_rule_by_id_and_by_number() -> None:
    (run,) = sarif(*BAD)["runs"]
    rules = run["tool"]["driver"]["rules"]

    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    assert [rule["id"] for rule in rules] == [rule.id for rule in RULES]


def test_an_ignored_finding_is_suppressed_with_its_reason() -> None:
    (run,) = sarif(*BAD)["runs"]

    suppressed = [result for result in run["results"] if "suppressions" in result]

    assert [result["ruleId"] for result in suppressed] == ["selects-nobody"]
    assert suppressed[0]["suppressions"] == [{"kind": "inSource", "justification": "soon"}]


def finding(file: str = "a.yaml", line: int = 3, sure: Sure = Sure.LIKELY) -> Finding:
    spot = Spot(file, line, "NetworkPolicy a/b", "spec.egress[0]")
    return Finding("policy-types", spot, sure, "something happens", None, Fix("mend it"))


@pytest.mark.parametrize(
    ("sure", "level"),
    [(Sure.CERTAIN, "error"), (Sure.LIKELY, "warning"), (Sure.POSSIBLE, "note")],
)
def test_how_sure_a_finding_is_becomes_its_level(sure: Sure, level: str) -> None:
    (run,) = to_sarif(Linted((finding(sure=sure),)), Sure.POSSIBLE)["runs"]

    assert run["results"][0]["level"] == level


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("dir/a b.yaml", "dir/a%20b.yaml"),
        ("/tmp/a.yaml", "file:///tmp/a.yaml"),
        ("50%.yaml", "50%25.yaml"),
        ("stdin", "stdin"),
    ],
)
def test_a_file_is_a_reference_that_an_editor_can_follow(file: str, expected: str) -> None:
    assert uri(file) == expected
    VALIDATOR.validate(to_sarif(Linted((finding(file),)), Sure.POSSIBLE))


def test_an_object_that_was_not_read_from_a_file_has_its_name_as_its_place() -> None:
    report = to_sarif(Linted((finding(line=0),)), Sure.POSSIBLE)

    (location,) = report["runs"][0]["results"][0]["locations"]
    assert location.keys() == {"logicalLocations"}
    VALIDATOR.validate(report)


def test_a_fingerprint_stays_when_lines_move_and_changes_with_the_field() -> None:
    def print_of(one: Finding) -> str:
        (run,) = to_sarif(Linted((one,)), Sure.POSSIBLE)["runs"]
        return str(run["results"][0]["partialFingerprints"]["policylab/v1"])

    assert print_of(finding(line=3)) == print_of(finding(line=9))
    assert print_of(finding("a.yaml")) != print_of(finding("b.yaml"))


def test_what_was_not_read_is_told_as_a_notification() -> None:
    report = to_sarif(Linted((), basis=Basis(unknown=("an object was not read",))), Sure.POSSIBLE)

    (said,) = report["runs"][0]["invocations"][0]["toolExecutionNotifications"]
    assert said == {"level": "warning", "message": {"text": "an object was not read"}}
    VALIDATOR.validate(report)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("version",), "2.0.0"),
        (("runs", 0, "results", 0, "level"), "fatal"),
        (("runs", 0, "results", 0, "ruleIndex"), -2),
        (("runs", 0, "results", 0, "message"), {}),
        (("runs", 0, "results", 0, "locations"), []),
        (("runs", 0, "tool", "driver", "semanticVersion"), "1"),
    ],
)
def test_the_schema_refuses_what_sarif_forbids(path: tuple[Any, ...], value: Any) -> None:
    report = to_sarif(
        Linted((finding(),), (Ignored(finding(), Ignore("a.yaml", 1, "x", "y", 1, 1)),)),
        Sure.POSSIBLE,
    )
    VALIDATOR.validate(report)
    inner: Any = report
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value

    assert not VALIDATOR.is_valid(report)
