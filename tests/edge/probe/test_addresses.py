"""Which names of the world may be asked for, and which addresses stand in for them."""

from __future__ import annotations

from typing import Any

import pytest

from harness.edge.probe.addresses import LabAddresses
from harness.errors import ProbeError

NAMES = {"google.com": "172.18.255.254"}


def addresses(internet: dict[str, str] | None) -> LabAddresses:
    pods: Any = None
    return LabAddresses(pods, internet)


def test_name_that_is_simulated_may_be_asked_for_and_has_an_address() -> None:
    made = addresses(NAMES)
    made.allow_question("google.com.")
    assert made.external("google.com") == NAMES["google.com"]


def test_real_name_may_be_asked_for_but_no_address_is_known() -> None:
    made = addresses({})
    made.allow_question("google.com.")
    with pytest.raises(ProbeError, match=r"nothing stands in for google\.com") as caught:
        made.external("google.com")
    assert caught.value.seen == "--lab-internet=real"


def test_without_any_internet_no_name_of_the_world_is_asked_for() -> None:
    made = addresses(None)
    made.allow_question("kubernetes.default.svc.cluster.local.")
    with pytest.raises(ProbeError, match=r"nothing stands in for google\.com") as caught:
        made.allow_question("google.com.")
    assert "--lab-context" in caught.value.seen
