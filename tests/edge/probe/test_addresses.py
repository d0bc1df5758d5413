"""Which names of the world may be asked for, and which addresses stand in for them."""

from __future__ import annotations

from typing import Any

import pytest

from harness.core.target.family import Family
from harness.core.target.internet import INTERNET
from harness.edge.internet.state import REAL, Internet, Server
from harness.edge.probe.addresses import LabAddresses
from harness.errors import ProbeError

NAMES = {"google.com": "172.18.255.254"}
WEB, OTHER = Server("203.0.113.7", 80), Server("203.0.113.8", 80)


def addresses(internet: Internet | None) -> LabAddresses:
    pods: Any = None
    return LabAddresses(pods, internet)


def test_name_that_is_simulated_may_be_asked_for_and_has_an_address() -> None:
    made = addresses(Internet(names=NAMES))
    made.allow_question("google.com.")
    assert made.external("google.com", 80) == {Family.IPV4: NAMES["google.com"]}
    assert made.external("google.com", None) == {Family.IPV4: NAMES["google.com"]}
    both = addresses(Internet(names=NAMES, prefix="fc00::")).external("google.com", 80)
    assert both == {Family.IPV4: NAMES["google.com"], Family.IPV6: "fc00::ac12:fffe"}


def test_real_name_may_be_asked_for_but_no_address_is_known() -> None:
    made = addresses(REAL)
    made.allow_question("google.com.")
    with pytest.raises(ProbeError, match=r"stands in for google\.com") as caught:
        made.external("google.com", 80)
    assert caught.value.seen == "--lab-internet=real"


def test_without_any_internet_no_name_of_the_world_is_asked_for() -> None:
    made = addresses(None)
    made.allow_question("kubernetes.default.svc.cluster.local.")
    with pytest.raises(ProbeError, match=r"nobody is asked for google\.com") as caught:
        made.allow_question("google.com.")
    assert "--lab-context" in caught.value.seen


def test_server_that_a_user_vouches_for_stands_in_at_its_port_only() -> None:
    made = addresses(Internet(servers=(WEB,), asked=False))
    assert made.external("google.com", 80) == {Family.IPV4: WEB.address}
    with pytest.raises(ProbeError, match=r"stands in for google\.com \(TCP 443\)") as caught:
        made.external("google.com", 443)
    assert caught.value.seen == "--lab-outside=203.0.113.7:80"


def test_nobody_vouches_for_an_answer_to_a_ping() -> None:
    with pytest.raises(ProbeError, match=r"stands in for google\.com \(a ping\)"):
        addresses(Internet(servers=(WEB,), asked=False)).external("google.com", None)


def test_nobody_knows_where_a_name_leads_on_a_cluster_of_somebody_else() -> None:
    for outside in (Internet(servers=(WEB,), asked=False), Internet(names=NAMES, asked=False)):
        with pytest.raises(ProbeError, match=r"nobody is asked for google\.com"):
            addresses(outside).allow_question("google.com.")


def test_names_of_one_address_have_one_server_and_others_another_if_there_are_two() -> None:
    made = addresses(Internet(servers=(WEB, OTHER), asked=False))
    found = {name: made.external(name, 80)[Family.IPV4] for name in INTERNET}
    assert set(found.values()) == {WEB.address, OTHER.address}
    assert found["google.com"] == found["www.google.com"]
