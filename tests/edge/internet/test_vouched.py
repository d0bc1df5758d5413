"""What a user may say of servers outside of a cluster."""

from __future__ import annotations

import pytest

from harness.edge.internet.state import Server
from harness.edge.internet.vouched import MOST, outside_named, servers_of
from harness.errors import EnvironmentFault


def test_servers_are_read_in_their_order_and_each_counts_once() -> None:
    found = servers_of("192.0.2.10:80, 192.0.2.11:443,192.0.2.10:80")

    assert found == (Server("192.0.2.10", 80), Server("192.0.2.11", 443))


@pytest.mark.parametrize("text", ["", "stand-in", "192.0.2.10:80,192.0.2.11:80"])
def test_what_is_right_stays_as_it_is(text: str) -> None:
    assert outside_named(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "google.com:80",
        "192.0.2.10",
        "192.0.2.10:0",
        "192.0.2.10:65536",
        "192.0.2.256:80",
        "a,b",
        "[2001:db8::1]:80",
        "192.0.2.10:80,",
        "http://192.0.2.10:80",
        "192.0.2.1:٨٠",
    ],
)
def test_what_is_no_address_with_a_port_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(EnvironmentFault, match="is no server outside of a cluster") as caught:
        outside_named(text)

    assert "192.0.2.10:80" in caught.value.try_


@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0", "224.0.0.1"])  # noqa: S104
def test_address_that_leads_nowhere_outside_is_refused(address: str) -> None:
    with pytest.raises(EnvironmentFault, match="is outside of no pod"):
        outside_named(f"{address}:80")


def test_more_servers_than_anybody_needs_are_refused() -> None:
    with pytest.raises(EnvironmentFault, match="are the most"):
        servers_of(",".join(f"192.0.2.1:{port}" for port in range(1, MOST + 2)))
