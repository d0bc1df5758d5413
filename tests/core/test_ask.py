"""Flows in words: what they say is what a table's cell would say."""

from __future__ import annotations

import pytest

from harness.core.ask import words
from harness.core.target import PodRef, parse_target


@pytest.mark.parametrize(
    "cell",
    [
        "pod/shop/api:80",
        "pod/shop/api:53/udp",
        "svc/shop/api:80",
        "net/google.com:443",
        "name/api.shop:80",
        "ping/pod/shop/api",
        "ping/net/google.com",
        "dns/A/api.shop.svc.cluster.local/tcp",
        "lookup/api",
        "questions/api",
        "option/ndots",
        "fact/crash",
        "blocked/pod/shop/api:53/udp",
        "rollout/08-broken-port",
    ],
)
def test_words_of_a_target_are_the_cell_that_it_was_read_from(cell: str) -> None:
    target = parse_target(cell, where="x")

    assert words((PodRef("shop", "web"), target)) == f"shop/web -> {cell}"
