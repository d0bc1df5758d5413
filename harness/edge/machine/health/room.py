"""Room: disk, memory, and the kernel's limits."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Network
from pathlib import Path

from harness.edge.machine.health.finding import Finding, State
from harness.edge.machine.health.looks import Looks

GIB = 1 << 30
DISK_GIB = 20
"""Free disk for a build of all images, its caches of Go and the engine's copy."""
CLUSTER_GIB = 3
"""Free disk for a cluster whose images are there: the writable layers and logs of its nodes."""
MEMORY_GIB = 3
"""Memory of the smallest machine. A node with the pods of all tutorials took 1.2 GiB."""
INOTIFY = {"max_user_instances": 8192, "max_user_watches": 524_288}
INOTIFY_HOME = "/proc/sys/fs/inotify"
PORTS = 100
"""Free ports that must be left for the API of clusters, of which kind takes any."""


def disk(looks: Looks, places: Sequence[Path], *, gib: int = DISK_GIB) -> list[Finding]:
    """Whether each of these folders has room for a whole build."""
    short = [
        Finding(
            "disk",
            State.LACK,
            f"building images needs {gib} GiB of free disk",
            where=str(place),
            seen=f"{free / GIB:.1f} GiB free",
            cure="free some space, or set XDG_CACHE_HOME to a larger disk",
        )
        for place in places
        if (free := looks.free(place)) < gib * GIB
    ]
    least = min(map(looks.free, places), default=0) / GIB
    return short or [Finding("disk", State.GOOD, f"{least:.0f} GiB of disk are free")]


def memory(looks: Looks) -> Finding:
    """Whether the machine has memory for a build and a cluster."""
    name, where = "memory", "/proc/meminfo"
    told = dict(re.findall(r"(?m)^(Mem\w+):\s+(\d+) kB$", looks.text(where) or ""))
    if "MemTotal" not in told:
        return Finding(name, State.UNKNOWN, "nobody can say how much memory there is", where=where)
    total, free = (int(told.get(key, "0")) * 1024 / GIB for key in ("MemTotal", "MemAvailable"))
    seen = f"{total:.1f} GiB, of which {free:.1f} GiB are available"
    if total < MEMORY_GIB:
        return Finding(
            name,
            State.LACK,
            f"a build and a cluster need a machine with {MEMORY_GIB} GiB of memory",
            where=where,
            seen=seen,
            cure="take a larger machine, or run the labs without a cluster: --lab-offline",
        )
    if free < MEMORY_GIB:
        return Finding(
            name,
            State.NOTE,
            "little memory is available: programs, perhaps clusters, use it",
            where=where,
            seen=seen,
            cure="end what is not needed: policylab cluster down --all",
        )
    return Finding(name, State.GOOD, f"the machine has {seen}")


def inotify(looks: Looks) -> Finding:
    """Whether the kernel lets several nodes watch files; `cluster up` raises the limits."""
    low = {
        name: told.strip()
        for name, wanted in INOTIFY.items()
        if (told := looks.text(f"{INOTIFY_HOME}/{name}") or "0").strip().isdecimal()
        and int(told) < wanted
    }
    if not low:
        return Finding("inotify", State.GOOD, "the limits for watching files are high enough")
    words = " ".join(f"fs.inotify.{name}={INOTIFY[name]}" for name in low)
    cure = "`policylab cluster up` raises them by itself"
    if looks.user() != 0:
        cure = f"nodes may fail to start; as root: sysctl {words}"
    return Finding(
        "inotify",
        State.NOTE,
        "the limits for watching files are low",
        where=INOTIFY_HOME,
        seen=", ".join(f"{name} {value}" for name, value in low.items()),
        cure=cure,
    )


def ports(looks: Looks) -> Finding:
    """Whether a port is left for a cluster's API; no other port of the machine is needed."""
    name, where = "ports", "/proc/sys/net/ipv4/ip_local_port_range"
    told = (looks.text(where) or "").split()
    if len(told) != 2 or not all(word.isdecimal() for word in told):  # noqa: PLR2004 - first, last
        return Finding(name, State.UNKNOWN, "nobody can say which ports are free", where=where)
    first, last = map(int, told)
    taken = {
        int(port, 16)
        for file in ("/proc/net/tcp", "/proc/net/tcp6")
        for port in re.findall(r"(?m)^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) ", looks.text(file) or "")
    }
    free = last - first + 1 - len([port for port in taken if first <= port <= last])
    if free < PORTS:
        return Finding(
            name,
            State.LACK,
            "nearly all ports of this machine are taken, so kind finds none for a cluster's API",
            where=where,
            seen=f"{free} of {first}-{last} are free",
            cure="end the programs that hold them: ss --tcp --processes shows which",
        )
    return Finding(name, State.GOOD, f"{free} ports are free; policylab needs no port of its own")


def networks(looks: Looks, taken: Mapping[str, str]) -> Finding:
    """Whether the machine itself uses the networks of pods and Services, `taken` with their names.

    A pod cannot reach an address of the machine's world that lies in one of them.
    """
    routes = []
    for line in (looks.text("/proc/net/route") or "").splitlines()[1:]:
        words = line.split()
        if len(words) > 7:  # noqa: PLR2004 - the mask is the eighth word
            start, mask = (int.from_bytes(bytes.fromhex(words[n])[::-1]) for n in (1, 7))
            if mask:
                routes.append(IPv4Network((start, mask.bit_count())))
    clash = [
        f"{route} of {name}"
        for network, name in taken.items()
        for route in routes
        if route.overlaps(IPv4Network(network))
    ]
    if not clash:
        return Finding("networks", State.GOOD, "the machine uses no network of pods or Services")
    return Finding(
        "networks",
        State.NOTE,
        "the machine reaches addresses that pods and Services of a cluster have, too",
        where="/proc/net/route",
        seen=", ".join(clash),
        cure="pods cannot reach these addresses outside; end the VPN or move that network",
    )
