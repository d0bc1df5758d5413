"""Outcome tables: what is read, and what is refused with the line that is wrong."""

from __future__ import annotations

import pytest

from harness.core.lab.documented import Erratum, Table, parse_reading, parse_table
from harness.core.lab.layout import Place
from harness.core.model import Protocol
from harness.core.outcome import Outcome, Reading
from harness.core.target import PodPort, PodRef
from harness.edge.cni.known import PROFILES
from harness.errors import OutcomeTableError

ERRATUM = Erratum("egress-only", "API reaches DB", "DB's ingress stays shut", "04-db-ingress")
TEXT = r"""
step open:

| from     | to               | tutorial says | why                |
|----------|------------------|---------------|--------------------|
| shop/web | pod/shop/db:6379 | connected     | nothing selects db |

step deny: 00-base,
    01-deny

| from     | to               | tutorial says | really  | why                      |
|----------|------------------|---------------|---------|--------------------------|
| shop/api | pod/shop/db:6379 | connected     | timeout | [egress-only, 3] a \| b, |
|          |                  |               |         | and more                 |
  $ nc -z db 6379
| shop/api | dns/A/db         | resolved 10   |         | [ours] ours              |
|          | .shop.svc/tcp    | 20            |         |                          |
"""


def parse(text: str = TEXT, errata: tuple[Erratum, ...] = (ERRATUM,)) -> Table:
    return parse_table(text, source="lab12#phase-2", errata=errata, place=Place("lab.py", 10))


def test_a_row_keeps_every_cell() -> None:
    table = parse()
    plain, deny, ours = table.rows
    assert (plain.step, plain.apply, plain.command) == ("open", (), ())
    assert (plain.cite, plain.ours) == ("phase-2", False)
    assert plain.outcome == plain.documented == Reading(Outcome.CONNECTED)
    assert deny.apply == ours.apply == ("00-base", "01-deny")
    assert str(deny.ask) == "shop/api -> pod/shop/db:6379"
    assert deny.target == PodPort(PodRef("shop", "db"), 6379, Protocol.TCP)
    assert (deny.documented, deny.outcome) == (
        Reading(Outcome.CONNECTED),
        Reading(Outcome.TIMEOUT),
    )
    assert (deny.erratum, deny.cite) == (ERRATUM, "3")
    assert deny.command == ("nc", "-z", "db", "6379")
    assert ours.ours
    assert deny.id == "deny-api-to-db-6379"
    assert deny.where == "lab.py:22"
    assert table.tutorial == "lab12"


def test_row_without_from_continues_the_row_above() -> None:
    _, deny, ours = parse().rows

    assert deny.why == "a | b, and more"
    assert str(ours.target) == "dns/A/db.shop.svc/tcp"
    assert ours.documented == Reading(Outcome.RESOLVED, "10 20")


def test_step_may_have_several_tables_each_with_the_columns_it_needs() -> None:
    more = """
| from     | to               | tutorial says | why          |
|----------|------------------|---------------|--------------|
| shop/web | pod/shop/db:6380 | refused       | nobody there |
"""
    *_, ours, last = parse(TEXT + more).rows

    assert (last.step, last.apply) == (ours.step, ours.apply)
    assert (last.why, last.actual) == ("nobody there", None)


def test_blank_before_a_dot_stays_in_a_sentence() -> None:
    found = parse(TEXT.replace("and more", "./more  "))

    assert found.rows[1].why == "a | b, ./more"


DENY = "| shop/api | pod/shop/db:6379 | connected     | timeout | [egress-only, 3] a"


@pytest.mark.parametrize(
    ("old", "new", "complaint", "line"),
    [
        (TEXT, "", "is empty", 10),
        (TEXT, "\n\nstop", "begins with a `step` line", 12),
        ("step deny: ", "step Deny: ", "a wrong form", 17),
        ("step deny: ", "step deny ", "a wrong form", 17),
        ("step deny: ", "step open: ", "written twice", 17),
        ("| shop/web | pod/shop/db:6379 | connected     | nothing selects db |", "", "no rows", 11),
        ("| why                |", "| reason |", "header of the outcome table is wrong", 13),
        ("| tutorial says | really  |", "| really | tutorial says |", "header of the outcome", 20),
        ("|----------|------------------|---------------|---------|--", "|a|", "be a ruler", 21),
        ("| nothing selects db |", "| nothing | selects db |", "5 cells, the header has 4", 15),
        (
            "nothing selects db |\n",
            "nothing selects db |\n$ a\n$ b\n",
            "no row without a command",
            17,
        ),
        ("  $ nc -z", "  nc -z", "neither a step nor a row", 24),
        ("| connected     | nothing", "| conected | nothing", "did you mean `connected`", 15),
        ("| connected     | nothing", "| | nothing", "the outcome is missing", 15),
        ("| connected     | nothing", "| unstable | nothing", "cannot document", 15),
        ("| connected     | nothing", "| shows | nothing", "needs a text after it", 15),
        ("| connected     | nothing", "| zzz | nothing", "one of connected", 15),
        ("nothing selects db", "", "no `why`", 15),
        ("nothing selects db", "[ours]", "no `why`", 15),
        ("nothing selects db", "[3, ours] w", "too many words", 15),
        ("shop/web", "web", "not a valid name of a pod", 15),
        ("| pod/shop/db:6379 | connected     | noth", "| pud/x | connected | noth", "pud/x", 15),
        ("| shop/web ", "| ", "no row is directly above", 15),
        ("[egress-only, 3]", "[egres-only]", "did you mean [egress-only]", 22),
        ("[egress-only, 3]", "", "its `why` names no erratum", 22),
        ("[ours]", "[egress-only]", "its cell `really` is empty", 25),
    ],
)
def test_a_malformed_table_is_refused_with_its_file_and_line(
    old: str, new: str, complaint: str, line: int
) -> None:
    assert old in TEXT
    with pytest.raises(OutcomeTableError) as raised:
        parse(TEXT.replace(old, new, 1))
    assert complaint in str(raised.value)
    assert raised.value.where == f"lab.py:{line}"


def test_rows_with_the_same_step_and_flow_are_refused_with_both_places() -> None:
    row = "| shop/web | pod/shop/db:6379 | connected     | nothing selects db |\n"
    with pytest.raises(OutcomeTableError, match="2 rows have the same id") as raised:
        parse(TEXT.replace(row, row + row))
    assert (raised.value.where, raised.value.seen) == ("lab.py:16", "the others are at lab.py:15")


def test_an_erratum_that_says_the_same_is_refused() -> None:
    with pytest.raises(OutcomeTableError, match="says the same"):
        parse(TEXT.replace("| timeout |", "| connected |"))


def test_an_erratum_that_no_row_shows_is_refused() -> None:
    with pytest.raises(OutcomeTableError, match="no row shows the errata unused"):
        parse(errata=(ERRATUM, Erratum("unused", "a", "b", "c")))


def test_two_errata_with_one_id_are_refused() -> None:
    with pytest.raises(OutcomeTableError, match="have the same id"):
        parse(errata=(ERRATUM, ERRATUM))


@pytest.mark.parametrize(
    ("text", "reading"),
    [
        ("timeout", Reading(Outcome.TIMEOUT)),
        ("shows ndots:5", Reading(Outcome.SHOWS, "ndots:5")),
        ("resolved  0 100 80 api.", Reading(Outcome.RESOLVED, "0 100 80 api.")),
    ],
)
def test_a_reading_is_a_word_and_its_detail(text: str, reading: Reading) -> None:
    assert parse_reading(text, where="here") == reading


LINES = """
step a: base

| from | to          | tutorial says   | really            | why                      |
|------|-------------|-----------------|-------------------|--------------------------|
| ns/x | pod/ns/y:80 | timeout         | cni:unserved_port | [wrong-port] they differ |
| ns/x | pod/ns/z:80 | cni:established |                   | they differ here too     |
"""
WRONG_PORT = Erratum("wrong-port", "it times out", "nobody listens", "name another port")


def test_line_of_the_profile_is_what_that_cni_does() -> None:
    rows = parse_table(LINES, source="t#1", errata=[WRONG_PORT]).rows

    assert [str(row.on(PROFILES["calico"]).outcome) for row in rows] == ["refused", "shows kept"]
    assert [str(row.on(PROFILES["cilium"]).outcome) for row in rows] == ["timeout", "shows cut"]


def test_erratum_that_does_not_show_on_a_cni_is_dropped_there() -> None:
    row = parse_table(LINES, source="t#1", errata=[WRONG_PORT]).rows[0]

    assert row.on(PROFILES["calico"]).erratum == WRONG_PORT
    assert row.on(PROFILES["cilium"]).erratum is None


def test_row_without_lines_is_the_same_everywhere() -> None:
    table = LINES.replace("cni:unserved_port", "refused").replace("cni:established", "connected")

    for row in parse_table(table, source="t#1", errata=[WRONG_PORT]).rows:
        assert row.on(PROFILES["calico"]) == row.on(PROFILES["cilium"]) == row


def test_unknown_line_of_the_profile_is_refused_by_name() -> None:
    with pytest.raises(OutcomeTableError, match="not a line of CniProfile"):
        parse_table(LINES.replace("established", "reject"), source="t#1", errata=[WRONG_PORT])
