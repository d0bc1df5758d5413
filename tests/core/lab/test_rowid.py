"""Ids of rows: words that a person can type after `-k`."""

from __future__ import annotations

import pytest

from harness.core.lab.rowid import row_ids
from harness.core.target import PodRef, parse_target
from harness.core.target.ask import Ask


def named(to: str) -> tuple[str, Ask]:
    return "deny", Ask(PodRef("shop", "web"), parse_target(to, where="here"))


@pytest.mark.parametrize(
    ("to", "words"),
    [
        ("pod/shop/db:6379", "to-db-6379"),
        ("pod/shop/db:53/udp", "to-db-53-udp"),
        ("pod/shop/deploy/db:80", "to-db-1-80"),
        ("svc/shop/db:6379", "to-svc-db-6379"),
        ("net/google.com:80", "to-net-google.com-80"),
        ("name/db.shop:80", "to-name-db.shop-80"),
        ("name/google.com.:80", "to-name-absolute-google.com-80"),
        ("ping/pod/shop/db", "ping-db"),
        ("ping/net/google.com", "ping-net-google.com"),
        ("dns/A/google.com", "dns-google.com-a"),
        ("dns/SRV/_http._tcp.api.shop/tcp", "dns-tcp-_http._tcp.api.shop-srv"),
        ("lookup/google.com", "lookup-google.com"),
        ("questions/google.com.", "questions-absolute-google.com"),
        ("option/ndots", "option-ndots"),
        ("blocked/pod/shop/db:80", "blocked-db-80"),
        ("rollout/08-broken", "rollout-08-broken"),
        ("fact/policies", "fact-policies"),
    ],
)
def test_id_says_the_step_who_asks_and_whom(to: str, words: str) -> None:
    assert row_ids([named(to)]) == [f"deny-web-{words}"]


def test_namespaces_are_named_only_where_two_rows_would_share_their_id() -> None:
    rows = [named("pod/shop/db:80"), named("pod/bank/db:80"), named("pod/bank/db:81")]

    assert row_ids(rows) == [
        "deny-shop.web-to-shop.db-80",
        "deny-shop.web-to-bank.db-80",
        "deny-web-to-db-81",
    ]


def test_rows_with_the_same_step_and_flow_share_their_id() -> None:
    assert len(set(row_ids([named("svc/shop/db:80"), named("svc/shop/db:80")]))) == 1
