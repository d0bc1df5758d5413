"""Runs Cyclonus on a cluster, with a deadline, and removes what it leaves there."""

from __future__ import annotations

import selectors
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.cyclonus.output import Printed, printed
from harness.edge.api.kube import Kube, Object
from harness.edge.api.namespaces import wait_gone
from harness.edge.cluster.state import Cluster, Home
from harness.edge.cluster.tools import TOOLS
from harness.edge.images.provide import archives
from harness.edge.images.recipe import REPOSITORY
from harness.edge.machine.docker import Docker
from harness.edge.machine.process import end_group, start
from harness.errors import EnvironmentFault
from harness.progress import Progress

SPACES = ("x", "y", "z", "y-2")
"""The namespaces of Cyclonus; one of its cases makes the last."""
BINARY = "/usr/local/bin/cyclonus"
IMAGE, AGNHOST = "cyclonus", "agnhost"
GRACE = 5.0


def programs(folder: Path, docker: Docker, progress: Progress) -> tuple[Path, Path]:
    """Build Cyclonus and agnhost; the program of the one, and the image of the other as a file.

    Raises:
        EnvironmentFault: an image cannot be built, or Docker's engine refuses it.
    """
    archives([IMAGE, AGNHOST], folder, progress, docker)
    docker.load(folder / f"{IMAGE}.tar")
    refs = docker.images(f"{REPOSITORY}/{IMAGE}")
    made = docker.call("create", refs[0]).stdout.strip()
    try:
        docker.call("cp", f"{made}:{BINARY}", folder / IMAGE)
    finally:
        docker.call("rm", made, check=False)
        for ref in refs:
            docker.remove_image(ref)
    return folder / IMAGE, folder / f"{AGNHOST}.tar"


def load(cluster: Cluster, archive: Path) -> None:
    """Put agnhost on the nodes of a cluster of policylab, where it stays.

    Raises:
        ClusterNotReady: kind fails.
    """
    home = Home(cluster.name)
    TOOLS.kind(cluster.name, home, home.kind, TOOLS.patience).load_archive(archive)


@contextmanager
def alone(kube: Kube) -> Iterator[None]:
    """The time in which the namespaces of Cyclonus may exist; then they are gone.

    Raises:
        EnvironmentFault: one of them exists before, and may be somebody else's.
    """
    if there := [name for name in SPACES if kube.get("v1", "Namespace", name)]:
        raise EnvironmentFault(
            "Cyclonus would take a namespace that is there already",
            seen=f"namespaces {', '.join(there)}",
            try_="are they yours? delete them: " + f"kubectl delete namespace {' '.join(there)}",
        )
    try:
        yield
    finally:
        bodies: list[Object] = [
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in SPACES
        ]
        for body in bodies:
            kube.delete(body)
        wait_gone(kube, bodies)


def run(
    argv: Sequence[str | Path],
    kubeconfig: Path,
    log: Path,
    *,
    seconds: float,
    heard: Callable[[str], None],
) -> Printed:
    """Run Cyclonus for at most `seconds`, with all it says in `log`; what it printed.

    After the deadline the cases that it ran to their end count.
    """
    lines: list[tuple[float, str]] = []
    began = time.monotonic()
    with start(
        argv,
        env={"KUBECONFIG": str(kubeconfig)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as child:
        try:
            with log.open("w", encoding="utf-8") as written:
                for at, line in _lines(child, began, seconds):
                    lines.append((at, line))
                    written.write(f"{at:8.2f} {line}\n")
                    heard(line)
        finally:
            end_group(child, GRACE)
    return printed(lines)


def _lines(
    child: subprocess.Popen[bytes], began: float, seconds: float
) -> Iterator[tuple[float, str]]:
    """The lines of a program as soon as it prints them, until it ends or the time is over."""
    assert child.stdout is not None  # noqa: S101 - `run` asked for a pipe
    rest = b""
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        while (left := began + seconds - time.monotonic()) > 0:
            if not selector.select(left):
                return
            data = child.stdout.read1(1 << 16)  # type: ignore[attr-defined]
            at = time.monotonic() - began
            *whole, rest = (rest + data).split(b"\n")
            for line in whole:
                yield at, line.decode(errors="replace")
            if not data:
                return
