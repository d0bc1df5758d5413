"""A row of a fact must have what its fact needs; its table says so before anything runs."""

from __future__ import annotations

import pytest

from harness.core.lab.documented import Row, parse_table
from harness.core.target import FACTS
from harness.errors import OutcomeTableError


def row(to: str, says: str, command: str = "") -> Row:
    table = f"""
step a: base

| from     | to | tutorial says | why |
|----------|----|---------------|-----|
| shop/web | {to} | {says} | why |
{command and f"$ {command}"}
"""
    return parse_table(table, source="t#1").rows[0]


@pytest.mark.parametrize(
    ("to", "says", "nearest"),
    [
        ("fact/lookup-time/x", "shows fastr", "shows faster"),
        ("fact/established-connection/pod/shop/web:80", "shows keep", "shows kept"),
        ("fact/name-server-fails/x", "dns_nxdomain", "dns_servfail"),
        ("fact/unrestarted", "shows pods older than the policies", "shows pods older than"),
    ],
)
def test_outcome_that_a_fact_never_has_is_refused_with_the_nearest_one(
    to: str, says: str, nearest: str
) -> None:
    with pytest.raises(OutcomeTableError, match="can never show") as caught:
        row(to, says)

    assert f"did you mean `{nearest}" in caught.value.try_


@pytest.mark.parametrize(
    ("to", "says"),
    [
        ("fact/questions-saved/x", "shows 300 % fewer questions"),
        ("fact/questions-saved/x", "shows -5 % fewer questions"),
        ("fact/wanted-against-allowed", "shows 6 unwanted, 0 missing"),
        ("fact/established-connection/pod/shop/web:80", "cni:established"),
    ],
)
def test_outcome_that_a_fact_may_have_is_read(to: str, says: str) -> None:
    assert row(to, says)


def test_fact_of_a_command_needs_one() -> None:
    with pytest.raises(OutcomeTableError, match="`fact/first-line` needs a command"):
        row("fact/first-line", "shows x")

    assert row("fact/first-line", "shows x", "curl x").command == ("curl", "x")


def test_every_fact_says_what_it_measures_and_shows() -> None:
    for name, fact in FACTS.items():
        assert fact.measures, name
        assert fact.shows, name
        assert bool(fact.ends) is bool(fact.meaning), name
