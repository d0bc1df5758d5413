"""Which address a name moves to: one that Cilium was never told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.core.world import SPARES
from harness.edge.facts import names as fqdnfacts
from harness.edge.internet.state import Internet
from harness.edge.machine.patience import PATIENCE
from harness.edge.machine.wait import NotYet
from harness.edge.stage.bench import Bench

ADDRESSES = {spare: f"172.18.255.{n}" for n, spare in enumerate(SPARES, 1)}
FIRST, SECOND, THIRD = SPARES[:3]


class Agents:
    """Two agents that know these addresses: by an identity, and by a name."""

    def __init__(self, identities: Sequence[str] = (), names: Sequence[str] = ()) -> None:
        self.identities, self.names = identities, names
        self.forgot: list[str] = []

    def by_node(self) -> dict[str, str]:
        return {"one": "cilium-1", "two": "cilium-2"}

    def ask(self, agent: str, words: Sequence[str]) -> str:
        if "clean" in words:
            self.forgot.append(agent)
            return ""
        if "ipcache" in words:
            told = [f"{ADDRESSES[spare]}/32   identity=16777217" for spare in self.identities]
            return (
                "\n".join(["IP PREFIX/ADDRESS   IDENTITY", *told]) if agent == "cilium-2" else "\n"
            )
        names = ",".join(ADDRESSES[spare] for spare in self.names)
        return f"7  lookup  moving.cilium.io.  1  soon  {names}"


def spare(monkeypatch: pytest.MonkeyPatch, agents: Agents) -> tuple[str, str]:
    def once(what: str, check: Callable[[], Any], **_: object) -> Any:
        return check()

    monkeypatch.setattr(fqdnfacts, "CiliumAgents", lambda *_: agents)
    bench = SimpleNamespace(
        internet=Internet("dns", "web", {}, ADDRESSES),
        kube=SimpleNamespace(wait=once),
        replayer=SimpleNamespace(kubectl=()),
        patience=PATIENCE,
    )
    return fqdnfacts._spare(cast("Bench", bench), "moving.cilium.io")


def test_the_first_address_if_none_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    assert spare(monkeypatch, Agents()) == (FIRST, ADDRESSES[FIRST])


def test_no_address_that_an_agent_has_an_identity_or_a_name_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found, _ = spare(monkeypatch, Agents(identities=[FIRST], names=[SECOND]))
    assert found == THIRD


def test_if_all_are_known_they_are_forgotten_and_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    agents = Agents(identities=SPARES)
    with pytest.raises(NotYet, match="still knows each of 16"):
        spare(monkeypatch, agents)
    assert agents.forgot == ["cilium-1", "cilium-2"]
