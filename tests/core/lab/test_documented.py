"""Outcome tables: what is read, and what is refused with the line that is wrong."""

from __future__ import annotations

import pytest

from harness.core.lab.documented import Erratum, Table, parse_reading, parse_table
from harness.core.model import Protocol
from harness.core.outcome import Outcome, Reading
from harness.core.target import PodPort, PodRef
from harness.edge.cni.known import PROFILES
from harness.errors import OutcomeTableError

ERRATUM = Erratum("egress-only", "API reaches DB", "DB's ingress stays shut", "04-db-ingress")
HEADER = "| step | apply | from | to | outcome | why | actual | erratum | command | cite |"
RULER = "|---|---|---|---|---|---|---|---|---|---|"
PLAIN = "| open | | shop/web | pod/shop/db:6379 | connected | nothing selects db | | | | |"
DENY = (
    r"| deny | 00-base, 01-deny | shop/api | pod/shop/db:6379 | connected | a \| b | timeout "
    "| egress-only | `nc -z db 6379` | ours |"
)


def parse(*lines: str, errata: tuple[Erratum, ...] = ()) -> Table:
    return parse_table("\n".join(lines), source="lab12#phase-2", errata=errata, where="lab.py")


def test_a_row_keeps_every_cell() -> None:
    table = parse(HEADER, RULER, PLAIN, "", DENY, errata=(ERRATUM,))
    plain, deny = table.rows
    assert (plain.apply, plain.command, plain.cite, plain.ours) == ((), (), "phase-2", False)
    assert plain.outcome == plain.documented == Reading(Outcome.CONNECTED)
    assert deny.apply == ("00-base", "01-deny")
    assert str(deny.ask) == "shop/api -> pod/shop/db:6379"
    assert deny.target == PodPort(PodRef("shop", "db"), 6379, Protocol.TCP)
    assert deny.why == "a | b"
    assert (deny.documented, deny.outcome) == (
        Reading(Outcome.CONNECTED),
        Reading(Outcome.TIMEOUT),
    )
    assert deny.erratum == ERRATUM
    assert deny.command == ("nc", "-z", "db", "6379")
    assert deny.ours
    assert deny.id == "deny:shop/api->pod/shop/db:6379"
    assert deny.where == "lab.py, table line 5"
    assert table.tutorial == "lab12"


def test_columns_may_stand_in_any_order() -> None:
    table = parse(
        "| why | outcome | to | from | apply | step |",
        "|:--|--:|:-:|---|---|---|",
        "| because | refused | pod/shop/db:1 | shop/web | | open |",
    )
    assert table.rows[0].documented == Reading(Outcome.REFUSED)


def test_empty_cells_need_no_blank() -> None:
    table = parse(HEADER, RULER, PLAIN.replace("| | | | |", "|||||"))
    assert table.rows[0].erratum is None


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        ((), "needs a header"),
        ((HEADER, RULER), "needs a header"),
        ((HEADER, PLAIN, PLAIN), "needs a header"),
        ((HEADER.replace("why", "reason"), RULER, PLAIN), "missing: why; unknown: reason"),
        ((HEADER.replace("cite", "why"), RULER, PLAIN), "header is wrong"),
        ((HEADER, RULER, PLAIN + " x |"), "11 cells, the header 10"),
        ((HEADER, RULER, PLAIN.replace("connected", "conected")), "did you mean `connected`"),
        ((HEADER, RULER, PLAIN.replace("connected", "unstable")), "cannot document"),
        ((HEADER, RULER, PLAIN.replace("connected", "shows")), "needs what it shows"),
        ((HEADER, RULER, PLAIN.replace("connected", "zzz")), "one of connected"),
        ((HEADER, RULER, PLAIN.replace("nothing selects db", "")), "no `why`"),
        ((HEADER, RULER, PLAIN.replace("shop/web", "web")), "not a valid name of a pod"),
        ((HEADER, RULER, PLAIN.replace("pod/shop", "pud/shop")), "is not a valid target"),
        ((HEADER, RULER, PLAIN, PLAIN), "2 rows share the id"),
        (
            (HEADER, RULER, PLAIN, PLAIN.replace("| |", "| 01-x |", 1).replace("web", "api")),
            "two different `apply` cells",
        ),
        ((HEADER, RULER, DENY), "no erratum `egress-only`"),
        ((HEADER, RULER, DENY.replace("egress-only", "")), "go together"),
        ((HEADER, RULER, DENY.replace("timeout", "")), "go together"),
    ],
)
def test_a_malformed_table_is_refused_with_its_place(
    lines: tuple[str, ...], complaint: str
) -> None:
    with pytest.raises(OutcomeTableError) as raised:
        parse(*lines)
    assert complaint in str(raised.value)
    assert "lab.py" in str(raised.value)


def test_an_erratum_that_says_the_same_is_refused() -> None:
    with pytest.raises(OutcomeTableError, match="says the same"):
        parse(HEADER, RULER, DENY.replace("timeout", "connected"), errata=(ERRATUM,))


def test_an_erratum_that_no_row_shows_is_refused() -> None:
    with pytest.raises(OutcomeTableError, match="no row shows the errata egress-only"):
        parse(HEADER, RULER, PLAIN, errata=(ERRATUM,))


def test_two_errata_with_one_id_are_refused() -> None:
    with pytest.raises(OutcomeTableError, match="share an id"):
        parse(HEADER, RULER, DENY, errata=(ERRATUM, ERRATUM))


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
| step | apply | from | to | outcome | actual | erratum | why |
|------|-------|------|----|---------|--------|---------|-----|
| a | base | ns/x | pod/ns/y:80 | timeout | cni:unserved_port | wrong-port | they differ |
| b | base | ns/x | pod/ns/y:80 | cni:established | | | they differ here too |
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
    with pytest.raises(OutcomeTableError, match="no line of CniProfile"):
        parse_table(LINES.replace("established", "reject"), source="t#1", errata=[WRONG_PORT])
