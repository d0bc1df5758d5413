"""A machine of which checks see what a test puts into it; by default it lacks nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

from harness.edge.machine.health.kernel import FEATURES
from harness.edge.machine.health.room import GIB

KERNEL = "6.12.9"
CONFIG = "".join(f"CONFIG_{option}=y\n" for option in FEATURES)
FILES: Mapping[str, str] = {
    "/proc/sys/kernel/osrelease": f"{KERNEL}\n",
    "/proc/config.gz": CONFIG,
    "/proc/meminfo": "MemTotal:       8388608 kB\nMemFree: 1 kB\nMemAvailable:    6291456 kB\n",
    "/proc/self/status": "CapBnd:\t000001ffffffffff\n",
    "/proc/sys/net/ipv4/ip_local_port_range": "32768\t60999\n",
    "/proc/net/tcp": "  sl  local_address\n   0: 0100007F:9441 00000000:0000 0A 0\n",
    "/proc/net/route": "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\n"
    "eth0\t00000000\t0102A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
    "eth0\t0002A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n",
    "/proc/sys/fs/inotify/max_user_instances": "8192\n",
    "/proc/sys/fs/inotify/max_user_watches": "1048576\n",
    "/proc/sys/net/ipv6/conf/all/disable_ipv6": "0\n",
    "/proc/net/if_inet6": "lo\n",
    "/sys/fs/cgroup/cgroup.controllers": "cpu memory pids\n",
    "/etc/debian_version": "13.1\n",
    "/usr/include/stdio.h": "",
    "/usr/lib/x86_64-linux-gnu/libc.a": "",
}
PROGRAMS: Mapping[str, str] = {
    "apt-get": "",
    "docker": "",
    "dockerd": "",
    "mmdebstrap": "",
    "gcc": "",
    "dpkg-query": "",
    "go": "go1.26.4\n",
    "git": "git version 2.47.3\n",
    "kubectl": '{"clientVersion": {"gitVersion": "v1.34.1"}}',
}


@dataclass
class FakeMachine:
    """A `Looks`.

    Attributes:
        files: the content of each file by its path.
        programs: what each program on PATH prints, whatever it is asked.
        disk: the free bytes of every disk.
        uid: the user.
        env: the environment.
        version: the version of Python.
    """

    files: Mapping[str, str] = field(default_factory=lambda: dict(FILES))
    programs: Mapping[str, str] = field(default_factory=lambda: dict(PROGRAMS))
    disk: int = 100 * GIB
    uid: int = 0
    env: Mapping[str, str] = field(default_factory=dict)
    version: tuple[int, int] = (3, 12)

    def without(self, *names: str) -> FakeMachine:
        """The same machine without these files and programs."""
        self.files = {name: text for name, text in self.files.items() if name not in names}
        self.programs = {name: text for name, text in self.programs.items() if name not in names}
        return self

    def having(self, files: Mapping[str, str]) -> FakeMachine:
        """The same machine with other files."""
        self.files = {**self.files, **files}
        return self

    def text(self, path: str) -> str | None:
        return self.files.get(path)

    def there(self, path: str) -> bool:
        return any(name == path or name.startswith(f"{path}/") for name in self.files)

    def names(self, folder: str, pattern: str) -> list[str]:
        found = (name for name in self.files if fnmatch(name, f"{folder}/{pattern}"))
        return sorted(name.rpartition("/")[2] for name in found)

    def which(self, program: str) -> str | None:
        return f"/usr/bin/{program}" if program in self.programs else None

    def said(self, *argv: str) -> str | None:
        return self.programs.get(argv[0].rpartition("/")[2])

    def free(self, place: Path) -> int:
        return self.disk

    def user(self) -> int:
        return self.uid

    def variable(self, name: str) -> str:
        return self.env.get(name, "")

    def python(self) -> tuple[int, int]:
        return self.version
