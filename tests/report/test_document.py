"""`labs.json`: complete, ordered, valid by its own schema, honest about what was not checked."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.resources import files
from ipaddress import ip_address
from typing import Any

import jsonschema
import pytest

from harness.core.lab.documented import Erratum, Row, parse_table
from harness.core.lab.record import Record, Status
from harness.core.observation import Observation, Transcript
from harness.core.outcome import Outcome, Reading
from harness.core.probe.spread import Spread
from harness.core.target import Target, parse_target
from harness.report.document import Run, row_json, to_json

ERRATUM = Erratum("port-name", "SRV names the port", "the port has no name", "06-named-ports")
SRV = "_http._tcp.api.shop.svc.cluster.local"
TABLE = parse_table(
    f"""
step open: 00-pods

| from     | to                     | tutorial says | why |
|----------|------------------------|---------------|-----|
| shop/web | pod/shop/db:6379       | connected     | w   |

step deny: 00-pods, 01-no

| from     | to                     | tutorial says | why      |
|----------|------------------------|---------------|----------|
| shop/web | pod/shop/db:6379       | timeout       | [ours] w |

step names: 00-pods

| from     | to                     | tutorial says | really       | why           |
|----------|------------------------|---------------|--------------|---------------|
| shop/web | dns/SRV/{SRV}/tcp      | resolved      | dns_nxdomain | [port-name] w |
| shop/web | svc/shop/dns:53/udp    | connected     |              | w             |
| shop/web | net/google.com:443     | connected     |              | w             |
| shop/web | name/api.shop:80       | connected     |              | w             |
| shop/web | ping/net/google.com    | timeout       |              | w             |
| shop/web | lookup/google.com      | resolved      |              | w             |
| shop/web | questions/google.com   | shows 4       |              | w             |
| shop/web | option/ndots           | shows 5       |              | w             |
| shop/web | blocked/pod/a-b/c-1:80 | shows no      |              | w             |
| shop/web | rollout/08-broken-port | shows no      |              | w             |
| shop/web | fact/lookup-time/x     | shows faster  |              | w             |
| shop/web | nodeport/shop/db:53    | connected     |              | w             |
""",
    source="lab12#phase-2",
    errata=(ERRATUM,),
)
OPEN, DENY, REFUTED = TABLE.rows[:3]
CONNECTED = Reading(Outcome.CONNECTED)


RUN = Run("20261121-070000-calico", "pytest", "2026-11-21T07:00:00+00:00", 12.34567)


def record(row: Row, status: Status = Status.PASS, **more: Any) -> Record:
    base = Record("lab12", "default_deny", row, row.outcome, Observation(row.outcome), status)
    return replace(base, **more)


def document(*records: Record, run: Run = RUN, gate: Any = None) -> dict[str, Any]:
    rows = [row_json(record) for record in records]
    return to_json(rows, {"cni": "calico 3.30.1"}, run=run, gate=gate)


RECORDS = (
    record(
        OPEN,
        observation=Observation(
            CONNECTED,
            transcripts=(Transcript("nc -z db 6379", "ok \x1b[31m\udc80", 0, 0.01234),),
            notes=("answered by db",),
            evidence={
                "ip": ip_address("10.0.0.7"),
                "spread": {"db": Spread.of([1.0, 2.0])},
                "seen": {Outcome.TIMEOUT, Outcome.CONNECTED},
                "bytes": b"\xff",
                "endless": float("inf"),
                "pair": (1, 2.5, None, True),
                Outcome.RESET: "key",
            },
        ),
    ),
    record(
        DENY,
        observation=Observation(Reading(Outcome.TIMEOUT), control=CONNECTED),
        reasons=("db is isolated",),
    ),
    record(REFUTED, Status.ERRATUM),
    record(TABLE.rows[3], Status.FAIL, problem="expected x", next_step="look"),
    record(TABLE.rows[4], Status.NOT_CHECKED, observation=None, predicted=None),
    *(record(row) for row in TABLE.rows[5:]),
)


def test_a_document_is_valid_by_its_schema() -> None:
    schema = json.loads(files("harness.report").joinpath("templates/labs.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    found = json.loads(json.dumps(document(*RECORDS, gate={"enforces": True}), allow_nan=False))
    validator.validate(found)
    validator.validate(document())
    del found["rows"][0]["flow"]["port"]
    assert not validator.is_valid(found)


def test_the_schema_knows_the_words_of_outcome_and_status() -> None:
    schema = json.loads(files("harness.report").joinpath("templates/labs.schema.json").read_text())
    assert schema["$defs"]["outcome"]["enum"] == [outcome.value for outcome in Outcome]
    row = schema["$defs"]["row"]["properties"]
    assert row["status"]["enum"] == [status.value for status in Status]
    assert schema["properties"]["summary"]["required"] == row["status"]["enum"]


def test_the_document_tells_the_run() -> None:
    run = replace(RUN, deselected=3, partial=True, interrupted=True)
    found = document(*RECORDS, run=run, gate={"enforces": True})
    assert found["schema_version"] == 3
    assert (found["run"], found["partial"]) == ("20261121-070000-calico", True)
    assert [row["step"] for row in found["rows"]][:3] == ["open", "deny", "names"]
    assert found["environment"] == {
        "kubernetes": None,
        "kind": None,
        "cni": "calico 3.30.1",
        "kernel": None,
    }
    assert found["seconds"] == 12.346
    assert (found["gate"], found["deselected"], found["interrupted"]) == (
        {"enforces": True},
        3,
        True,
    )
    assert found["summary"] == {
        "pass": 11,
        "fail": 1,
        "erratum": 1,
        "not_checked": 1,
        "not_observed": 0,
        "not_checked_offline": 0,
    }


def test_a_row_has_its_three_columns_with_their_details() -> None:
    row = replace(TABLE.rows[8], documented=Reading(Outcome.SHOWS, "4 questions"))
    found = row_json(replace(record(row), predicted=None))
    assert (found["documented"], found["documented_detail"]) == ("shows", "4 questions")
    assert (found["predicted"], found["predicted_detail"]) == (None, None)
    assert (found["observed"], found["observed_detail"]) == ("shows", "4 questions")


def test_a_row_that_was_not_observed_says_so() -> None:
    found = row_json(RECORDS[4])
    assert (found["observed"], found["status"]) == (None, "not_checked")
    assert (found["evidence"], found["transcripts"], found["notes"]) == ({}, [], [])


def test_a_row_names_who_claims_it_and_what_refutes_it() -> None:
    assert row_json(RECORDS[0])["claimed_by"] == "tutorial"
    assert row_json(RECORDS[1])["claimed_by"] == "policylab"
    assert row_json(RECORDS[1])["control"] == "connected"
    assert row_json(RECORDS[0])["erratum"] is None
    assert row_json(RECORDS[2])["erratum"] == {
        "id": "port-name",
        "wrong": "SRV names the port",
        "why": "the port has no name",
        "corrected": "06-named-ports",
    }


@pytest.mark.parametrize(
    ("number", "protocol", "port"),
    [
        (0, "TCP", 6379),
        (2, "TCP", 53),
        (3, "UDP", 53),
        (4, "TCP", 443),
        (5, "TCP", 80),
        (6, "ICMP", None),
        (7, "UDP", 53),
        (8, "UDP", 53),
        (9, None, None),
        (10, None, None),
        (11, None, None),
        (12, None, None),
    ],
)
def test_a_flow_has_its_target_in_both_spellings_and_its_protocol_and_port(
    number: int, protocol: str | None, port: int | None
) -> None:
    row = TABLE.rows[number]
    assert row_json(record(row))["flow"] == {
        "from": "shop/web",
        "to": str(row.target),
        "words": row.target.words,
        "protocol": protocol,
        "port": port,
    }
    assert parse_target(str(row.target), where="here") == row.target


def test_the_rows_of_this_file_have_every_kind_of_target() -> None:
    assert {type(row.target) for row in TABLE.rows} == set(Target.__args__)


def test_evidence_of_any_kind_becomes_plain_data() -> None:
    found = row_json(RECORDS[0])
    assert found["evidence"]["ip"] == "10.0.0.7"
    assert found["evidence"]["spread"]["db"]["median"] == 1.5
    assert found["evidence"]["seen"] == ["connected", "timeout"]
    assert found["evidence"]["bytes"] == "\ufffd"
    assert found["evidence"]["endless"] is None
    assert found["evidence"]["pair"] == [1, 2.5, None, True]
    assert found["evidence"]["reset"] == "key"


def test_a_transcript_can_be_written_as_utf8_whatever_the_command_printed() -> None:
    found = row_json(RECORDS[0])["transcripts"]
    assert found == [
        {"command": "nc -z db 6379", "output": "ok \x1b[31m?", "exit_code": 0, "seconds": 0.012}
    ]
