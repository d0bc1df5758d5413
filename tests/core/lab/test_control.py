"""Silence is earned: which flow must answer for a silent row to count."""

from __future__ import annotations

import pytest

from harness.core.lab.control import control_of
from harness.core.lab.documented import Row, parse_table
from harness.core.model import Namespace, Service, ServicePort, Topology

TOPOLOGY = Topology(
    {"shop": Namespace("shop", {})},
    {},
    {"shop/db": Service("shop", "db", {"app": "db"}, (ServicePort(6379),))},
)
TABLE = """
step a: base

| from     | to     | tutorial says | why              |
|----------|--------|---------------|------------------|
| shop/web | TARGET | OUTCOME       | nobody serves it |
"""


def row(target: str, outcome: str = "cni:unserved_port") -> Row:
    return parse_table(
        TABLE.replace("TARGET", target).replace("OUTCOME", outcome), source="t"
    ).rows[0]


@pytest.mark.parametrize(
    "target",
    ["svc/shop/db:80", "name/db:80", "name/db.shop:80", "name/db.shop.svc.cluster.local:80"],
)
def test_unserved_port_is_controlled_by_a_port_that_the_service_has(target: str) -> None:
    wanted = row(target.replace(":80", ":6379")).ask

    assert control_of(row(target), TOPOLOGY) == wanted


def test_every_other_row_is_its_own_control() -> None:
    found = row("svc/shop/db:80", "timeout")

    assert control_of(found, TOPOLOGY) == found.ask
