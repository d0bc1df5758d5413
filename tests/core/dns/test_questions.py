"""The search list: resolv.conf(5), with dnspython's own expansion as the oracle."""

from __future__ import annotations

import dns.name
import dns.resolver
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.dns.question import Question, joined, query_plan
from harness.errors import OutcomeTableError, ProbeError

SEARCH = ("frontend-zone.svc.cluster.local", "svc.cluster.local", "cluster.local")

LABELS = st.text("abcxyz019-_", min_size=1, max_size=12)
NAMES = st.lists(LABELS, min_size=1, max_size=7).map(".".join)


def names(name: str, search: tuple[str, ...] = SEARCH, ndots: int = 5) -> list[str]:
    return [question.qname for question in query_plan(name, search=search, ndots=ndots)]


def test_a_name_with_few_dots_goes_through_the_search_list_first() -> None:
    assert names("google.com") == [
        "google.com.frontend-zone.svc.cluster.local.",
        "google.com.svc.cluster.local.",
        "google.com.cluster.local.",
        "google.com.",
    ]


def test_a_trailing_dot_makes_one_question() -> None:
    assert names("google.com.") == ["google.com."]


def test_a_name_with_ndots_dots_is_asked_as_it_is_first() -> None:
    assert names("a.b.c.d.e.f")[0] == "a.b.c.d.e.f."
    assert names("a.b.c.d.e.f")[1:] == [f"a.b.c.d.e.f.{suffix}." for suffix in SEARCH]


def test_every_type_is_asked_for_each_name_in_turn() -> None:
    plan = query_plan("db.", search=SEARCH, ndots=5, rdtypes=("A", "AAAA"))
    assert plan == (Question("db.", "A"), Question("db.", "AAAA"))
    assert str(plan[1]) == "AAAA db."


def test_a_root_in_the_search_list_does_not_ask_the_plain_name_twice() -> None:
    assert names("web", ("svc.cluster.local", ".")) == ["web.svc.cluster.local.", "web."]


def test_a_name_that_grows_too_long_is_not_asked() -> None:
    long = ".".join(["x" * 60] * 4)
    assert names(long, ("svc.cluster.local",)) == [f"{long}."]


@given(
    name=NAMES,
    absolute=st.booleans(),
    search=st.lists(NAMES, max_size=4),
    ndots=st.integers(0, 15),
)
def test_plan_is_that_of_dnspython(
    name: str, absolute: bool, search: list[str], ndots: int
) -> None:
    text = name + "." * absolute
    resolver = dns.resolver.Resolver(configure=False)
    resolver.search = [dns.name.from_text(suffix) for suffix in search]
    resolver.ndots = ndots
    expected = resolver._get_qnames_to_try(dns.name.from_text(text, None), search=True)
    plan = query_plan(text, search=search, ndots=ndots)
    assert [dns.name.from_text(question.qname) for question in plan] == expected


@pytest.mark.parametrize("bad", ["a..b", "x" * 64, ".a"])
def test_a_malformed_name_is_the_labs_fault(bad: str) -> None:
    with pytest.raises(OutcomeTableError, match="not a valid DNS name") as raised:
        query_plan(bad, search=SEARCH, ndots=5)
    assert bad in str(raised.value)


def test_a_malformed_search_list_gives_no_verdict() -> None:
    with pytest.raises(ProbeError, match="search list"):
        query_plan("web", search=("a..b",), ndots=5)


def test_addresses_are_joined_in_the_order_of_their_numbers() -> None:
    assert joined("A", ["10.0.0.10", "10.0.0.9", "10.0.0.9"]) == "10.0.0.9, 10.0.0.10"
