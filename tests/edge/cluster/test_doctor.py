"""What the labs need of a machine, and that a cluster begins only where it can come up."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from harness.edge.cluster.doctor import Wish, ensure_machine, examine
from harness.edge.cluster.lane import Lane
from harness.edge.cni.known import CNIS, cni_of
from harness.edge.images import Source
from harness.edge.machine import apt
from harness.edge.machine.health.finding import Finding, State
from harness.edge.machine.health.kernel import FEATURES
from harness.errors import EnvironmentFault, ToolMissing
from tests.fakes.docker import FakeEngine
from tests.fakes.machine import CONFIG, FakeMachine

CACHE = Path("/home/somebody/.cache/policylab")
TODAY = date(2026, 11, 26)


@pytest.fixture(autouse=True)
def debian(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which apt knows Debian's archive, wherever the tests run."""
    monkeypatch.setattr(apt, "sources_for", lambda _: "deb")


def found(
    machine: FakeMachine,
    images: Source = Source.AUTO,
    engine: FakeEngine | None = None,
    today: date = TODAY,
) -> dict[str, Finding]:
    wish = Wish([Lane(cni) for cni in CNIS], images)
    docker = (engine or FakeEngine()).docker
    return {each.name: each for each in examine(machine, docker, wish, CACHE, today)}


def states(findings: dict[str, Finding], state: State) -> set[str]:
    return {name for name, finding in findings.items() if finding.state is state}


def test_good_machine_lacks_nothing_and_asks_nothing_more() -> None:
    findings = found(FakeMachine())
    assert states(findings, State.LACK) | states(findings, State.UNKNOWN) == set()


@pytest.mark.parametrize("cni", CNIS)
def test_what_a_cni_needs_of_the_kernel_is_known_in_words(cni: str) -> None:
    assert cni_of(cni).kernel
    assert set(cni_of(cni).kernel) <= FEATURES.keys()


def test_build_is_a_lack_only_where_one_was_asked_for() -> None:
    machine = FakeMachine(uid=1000)
    assert states(found(machine, Source.BUILD), State.LACK) == {"build tools"}
    assert "build tools" not in found(machine, Source.REGISTRY)
    assert "build tools" not in found(machine, Source.BUNDLE)
    unknown = found(machine, Source.AUTO)["build tools"]
    assert unknown.state is State.UNKNOWN
    assert "if a registry answers, which was not asked" in unknown.cure


def test_build_that_is_there_makes_a_lack_of_the_next_one_a_note() -> None:
    machine = FakeMachine(uid=1000).having({f"{CACHE}/artefacts/cluster-0123abcd": ""})
    note = found(machine)["build tools"]
    assert note.state is State.NOTE
    assert "images are there" in note.cure


def test_disk_for_a_cluster_alone_is_smaller() -> None:
    machine = FakeMachine(disk=7 << 30)
    assert found(machine, Source.BUILD)["disk"].state is State.LACK
    assert found(machine, Source.BUNDLE)["disk"].state is State.GOOD


def test_engine_elsewhere_leaves_the_kernel_unknown() -> None:
    engine = FakeEngine()
    engine.kernel = "6.6.87-linuxkit"
    findings = found(FakeMachine(files={}), engine=engine)
    assert findings["engine's machine"].state is State.UNKNOWN
    assert not [name for name in findings if name.startswith("kernel")]


def test_support_that_has_ended_is_a_note_with_the_day_and_the_source() -> None:
    calico = found(FakeMachine())["support: calico"]
    assert calico.state is State.NOTE
    assert "ended on 2026-04-30 (https://" in calico.what
    assert "no fault of it is mended" in calico.cure


def test_support_before_its_last_day_is_good() -> None:
    assert found(FakeMachine(), today=date(2026, 4, 30))["support: calico"].state is State.GOOD


SHORT = FakeMachine().having({"/proc/config.gz": CONFIG.replace("VXLAN=y", "VXLAN=n")})


def test_cluster_that_cannot_come_up_is_not_begun() -> None:
    with pytest.raises(ToolMissing, match="the kernel lacks VXLAN"):
        ensure_machine(SHORT, FakeEngine().docker, Lane("calico"))
    ensure_machine(SHORT, FakeEngine().docker, Lane("cilium"))


def test_all_that_a_cluster_lacks_is_told_at_once() -> None:
    with pytest.raises(EnvironmentFault, match="this machine lacks 2 things"):
        ensure_machine(
            FakeMachine().having(
                {
                    "/proc/config.gz": CONFIG.replace("VXLAN=y", "VXLAN=n"),
                    "/proc/meminfo": "MemTotal: 9999 kB\n",
                }
            ),
            FakeEngine().docker,
            Lane("calico"),
        )


def test_what_is_not_known_stops_no_cluster() -> None:
    files = {"/sys/fs/cgroup/cgroup.controllers": ""}
    ensure_machine(FakeMachine(files=files), FakeEngine().docker, Lane("calico"))
    engine = FakeEngine()
    engine.kernel = "6.6.87-linuxkit"
    ensure_machine(SHORT, engine.docker, Lane("calico"))


def test_recipes_that_are_missing_are_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    from harness.edge.images import recipe

    monkeypatch.setattr(recipe, "HOME", Path("/nowhere"))
    note = found(FakeMachine())["versions"]
    assert note.state is State.NOTE
    assert "the recipes of the images are missing" in note.what
