"""Which names of the world a stage lets be asked for, and which addresses it knows."""

from types import SimpleNamespace
from typing import Any

import pytest

from harness.edge.api.livenames import LiveNames
from harness.edge.machine.clock import MACHINE_CLOCK
from harness.edge.stage.stage import Stage
from harness.errors import ProbeError

NAMES = {"google.com": "172.18.255.254"}


def stage(internet: dict[str, str] | None) -> Stage:
    kube: Any = SimpleNamespace(clock=MACHINE_CLOCK)
    prober: Any = SimpleNamespace(names=LiveNames())
    return Stage(kube, prober, {}, images={}, internet=internet, fence=lambda: None)


def test_name_that_is_simulated_may_be_asked_for_and_has_an_address() -> None:
    made = stage(NAMES)
    made.allow_question("google.com.")
    assert made.external("google.com") == NAMES["google.com"]


def test_real_name_may_be_asked_for_but_no_address_is_known() -> None:
    made = stage({})
    made.allow_question("google.com.")
    with pytest.raises(ProbeError, match=r"nothing stands in for google\.com") as caught:
        made.external("google.com")
    assert caught.value.seen == "--lab-internet=real"


def test_without_any_internet_no_name_of_the_world_is_asked_for() -> None:
    made = stage(None)
    made.allow_question("kubernetes.default.svc.cluster.local.")
    with pytest.raises(ProbeError, match=r"nothing stands in for google\.com") as caught:
        made.allow_question("google.com.")
    assert "--lab-context" in caught.value.seen
