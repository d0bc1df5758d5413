"""A flow as a person asks for it."""

from __future__ import annotations

from harness.core.ask import Ask
from harness.core.target import PodRef, parse_target

WEB = PodRef("shop", "web")


def test_ask_prints_itself_as_tables_write_it() -> None:
    ask = Ask(WEB, parse_target("svc/shop/api:53/udp", where="x"))

    assert str(ask) == "shop/web -> svc/shop/api:53/udp"


def test_equal_asks_are_one_key() -> None:
    asks = [Ask(WEB, parse_target(text, where="x")) for text in ("dns/A/api", "dns/A/api.")]

    assert len(set(asks)) == 1
