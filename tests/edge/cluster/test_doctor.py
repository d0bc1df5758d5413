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


def test_a_version_whose_support_has_ended_is_a_note_with_the_newest_one() -> None:
    finding = found(FakeMachine())["support: calico"]

    assert finding.state is State.NOTE
    assert "The newest is v3.33.0" in finding.cure


def test_the_version_that_was_chosen_is_looked_up() -> None:
    wish = Wish([Lane("cilium", cni_version="1.15")], Source.AUTO)
    findings = examine(FakeMachine(), FakeEngine().docker, wish, CACHE, TODAY)
    [finding] = [each for each in findings if each.name == "support: cilium"]

    assert finding.state is State.NOTE
    assert "Cilium 1.15 ended on 2025-08-07 or earlier" in finding.what
    assert finding.seen == "a cluster gets v1.15.19"


def test_what_kube_proxy_needs_of_the_kernel_is_asked_for_the_mode_that_needs_it() -> None:
    lacking = CONFIG.replace("NETFILTER_XT_MATCH_STATISTIC=y", "NETFILTER_XT_MATCH_STATISTIC=n")
    machine = FakeMachine().having({"/proc/config.gz": lacking})

    ensure_machine(machine, FakeEngine().docker, Lane("calico"))
    with pytest.raises(ToolMissing, match=r"which kube-proxy \(iptables\) needs"):
        ensure_machine(machine, FakeEngine().docker, Lane("calico", kube_proxy="iptables"))


def test_a_kernel_without_ebpf_on_sockets_makes_no_cluster_without_kube_proxy() -> None:
    lacking = CONFIG.replace("CGROUP_BPF=y", "CGROUP_BPF=n")
    machine = FakeMachine().having({"/proc/config.gz": lacking})

    ensure_machine(machine, FakeEngine().docker, Lane("cilium"))
    with pytest.raises(ToolMissing, match=r"which cilium needs"):
        ensure_machine(machine, FakeEngine().docker, Lane("cilium", dataplane="replacement"))
