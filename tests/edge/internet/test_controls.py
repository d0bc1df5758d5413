"""The controls: what is sent, when a change is in force, and that it never outlives its holder."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.core.target.internet import SPARES
from harness.edge.internet.controls import Controls
from harness.edge.internet.engine import Place
from harness.edge.internet.state import (
    DOCUMENTED,
    TTL_SECONDS,
    Fault,
    Internet,
    WebFault,
    digest,
    initial_sites,
    state_bytes,
)
from harness.edge.machine.patience import PATIENCE
from harness.errors import EnvironmentFault
from tests.fakes.docker import Answer, FakeEngine

ADDRESSES = {known: f"172.18.255.{n}" for n, known in enumerate(DOCUMENTED, 1)}
HERE = Internet("172.18.0.9", "172.18.0.9", {}, ADDRESSES)
INITIAL = state_bytes(ADDRESSES, initial_sites(ADDRESSES))
NAME = "moving.cilium.io"


class Container:
    """Takes a state, and tells which one is in force after so many questions."""

    def __init__(self) -> None:
        self.engine = FakeEngine(self.acted)
        self.engine.patience = replace(PATIENCE, internet_change=0.3, internet_changes=0.2)
        self.late = 0
        self.broken = False

    @property
    def place(self) -> Place:
        return Place(docker=self.engine.docker, servers=self)

    @property
    def states(self) -> list[bytes]:
        return [INITIAL, *(told.encode() for told in self.engine.told)]

    @property
    def words(self) -> list[str]:
        return self.engine.calls[-1]

    def acted(self, words: list[str]) -> Answer | None:
        if not self.broken:
            return None
        self.engine.told.pop()
        return 1, "", "no such container"

    def page(self, address: str, seconds: float) -> None:
        pytest.fail("nobody asked for a page")

    def state(self, address: str, seconds: float) -> str:
        if self.late > 0:
            self.late -= 1
            return digest(self.states[-2])
        return digest(self.states[-1])

    def site(self, name: str = NAME) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.states[-1])["names"][name]
        return found


@pytest.fixture
def container(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Container:
    fake = Container()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return fake


@pytest.fixture
def controls(container: Container) -> Iterator[Controls]:
    with Controls(HERE, container.place) as made:
        yield made
        container.late, container.broken = 0, False


def test_a_name_moves_to_the_address_that_stands_in(
    controls: Controls, container: Container
) -> None:
    controls.set(NAME, address=SPARES[0], ttl=5)
    assert container.site() == {
        "address": ADDRESSES[SPARES[0]],
        "ttl": 5,
        "fault": "none",
        "web": "none",
        "delay_ms": 0,
    }
    assert container.site("google.com")["ttl"] == TTL_SECONDS
    assert container.words[:3] == ["exec", "--interactive", "policylab-internet"]


def test_what_is_not_said_stays_as_it_is(controls: Controls, container: Container) -> None:
    controls.set(NAME, fault=Fault.SLOW, delay_ms=300)
    controls.set(NAME, web=WebFault.SLOW)
    site = container.site()
    assert (site["fault"], site["web"], site["delay_ms"]) == ("slow", "slow", 300)


def test_change_is_in_force_when_the_call_returns(controls: Controls, container: Container) -> None:
    container.late = 2
    controls.set(NAME, ttl=7)
    assert container.late == 0


def test_change_that_does_not_come_into_force_says_what_was_seen(
    controls: Controls, container: Container
) -> None:
    container.late = 1000
    with pytest.raises(EnvironmentFault, match="has its new state in force") as caught:
        controls.set(NAME, ttl=7)
    assert digest(INITIAL) in caught.value.seen


@pytest.mark.parametrize("change", [{"name": "nobody.io"}, {"name": NAME, "address": "192.0.2.99"}])
def test_unknown_name_or_address_changes_nothing(
    controls: Controls, container: Container, change: dict[str, Any]
) -> None:
    with pytest.raises(KeyError):
        controls.set(**change)
    assert container.states == [INITIAL]


def test_change_is_undone_whatever_happens(container: Container) -> None:
    seen = []

    def fail() -> None:
        with Controls(HERE, container.place) as controls:
            controls.set(NAME, fault=Fault.DROP)
            seen.append(container.site()["fault"])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert seen == ["drop"]
    assert container.states[-1] == INITIAL


def test_one_change_leaves_another(controls: Controls, container: Container) -> None:
    controls.set("cilium.io", ttl=9)
    controls.set(NAME, ttl=1)
    assert (container.site("cilium.io")["ttl"], container.site()["ttl"]) == (9, 1)


def test_end_of_the_controls_puts_all_right(container: Container) -> None:
    with Controls(HERE, container.place) as controls:
        controls.set("cilium.io", ttl=9)
        controls.set(NAME, ttl=1)
    assert container.states[-1] == INITIAL


def test_reset_of_what_was_never_changed_asks_nothing(container: Container) -> None:
    with Controls(HERE, container.place):
        pass
    assert container.states == [INITIAL]


def test_one_run_at_a_time_holds_changes(controls: Controls, container: Container) -> None:
    one, other = Controls(HERE, container.place), controls
    one.set(NAME, ttl=1)
    with pytest.raises(EnvironmentFault, match="no other run has changed"):
        other.set(NAME, ttl=2)
    assert not other.reset_unless_held()
    assert container.site()["ttl"] == 1
    one.reset()
    other.set(NAME, ttl=2)
    assert container.site()["ttl"] == 2


def test_lock_goes_even_if_the_container_is_gone(container: Container) -> None:
    one = Controls(HERE, container.place)
    one.set(NAME, ttl=1)
    container.broken = True
    with pytest.raises(EnvironmentFault, match="does not accept its new state"):
        one.reset()
    container.broken = False
    assert Controls(HERE, container.place).reset_unless_held()
    assert container.states[-1] == INITIAL
