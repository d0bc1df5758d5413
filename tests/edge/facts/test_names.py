"""Which address a name moves to: one that Cilium was never told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from harness.core.target.internet import SPARES
from harness.edge.facts.names import _spare
from harness.edge.probe.programs.replay import Replayer
from harness.errors import ClusterNotReady
from tests.fakes.cluster import STAND_INS, FakeCluster
from tests.fakes.kubectl import FakeExec, Said
from tests.fakes.lab import lab

FIRST, SECOND, THIRD = SPARES[:3]
NAME = "moving.cilium.io"


def spare(
    identities: Sequence[str] = (), names: Sequence[str] = ()
) -> tuple[tuple[str, tuple[str, ...]], FakeExec]:
    """The address that is found, and what the agents were asked, each of which knows these."""

    def answer(_namespace: str, _pod: str, command: tuple[str, ...]) -> Said:
        if "clean" in command:
            return Said()
        if "ipcache" in command:
            return Said("".join(f"{STAND_INS[one]}/32   identity=16777217\n" for one in identities))
        known = ",".join(STAND_INS[one] for one in names)
        return Said(f"7  lookup  {NAME}.  1  soon  {known}")

    agents = FakeExec(answer)
    bench = lab({}, FakeCluster("cilium")).bench
    replayer = Replayer(agents, bench.prober.names, bench.patience)
    return _spare(replace(bench, replayer=replayer), NAME), agents


def test_the_first_address_if_none_is_known() -> None:
    assert spare()[0] == (FIRST, (STAND_INS[FIRST],))


def test_no_address_that_an_agent_has_an_identity_or_a_name_for() -> None:
    (found, _), _ = spare(identities=[FIRST], names=[SECOND])
    assert found == THIRD


def test_if_all_are_known_they_are_forgotten_and_waited_for() -> None:
    with pytest.raises(ClusterNotReady) as caught:
        spare(identities=SPARES)
    assert caught.value.seen == "it still knows each of 16"
