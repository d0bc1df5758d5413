"""kind, for one cluster: the commands that pytest-kind runs, and the commands that it lacks.

pytest-kind's `KindCluster` makes the cluster, loads images into its nodes and deletes it. It has no
deadlines, prints all output of kind, and downloads missing programs. It therefore gets a small
script instead of kind. The script writes kind's messages into a file, and its process id into
another file, so that kind can be ended at a deadline. Other commands (list, export, version) are
run directly.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING

from harness.edge.cluster.state import Home
from harness.edge.machine.patience import PATIENCE, Patience
from harness.edge.machine.process import run, tail
from harness.errors import ClusterNotReady, ToolMissing

if TYPE_CHECKING:
    from pytest_kind.cluster import KindCluster


class Kind:
    """One cluster of kind, by its name.

    `home` is the folder of the cluster's state, `program` the path of kind.
    """

    def __init__(self, name: str, home: Home, program: Path, patience: Patience = PATIENCE) -> None:
        self.name = name
        self.program = program
        self._patience = patience
        self._home = home
        self._script = home.path / "kind.sh"
        self._pid = home.path / "kind.pid"

    def listed(self) -> list[str]:
        """The names of all of kind's clusters, including clusters that policylab did not make.

        Raises:
            CommandFailed: kind does not answer.
        """
        return run(
            [self.program, "get", "clusters"], timeout=self._patience.kind_answer
        ).stdout.split()

    def version(self) -> str:
        """Kind's version, e.g. v0.30.0.

        Raises:
            CommandFailed: kind does not answer.
        """
        return self._asked("version").split()[1]

    def export(self, kubeconfig: Path) -> None:
        """Write the cluster's kubeconfig.

        Raises:
            CommandFailed: kind does not export it.
        """
        self._asked("export", "kubeconfig", f"--kubeconfig={kubeconfig}", f"--name={self.name}")

    def create(self, config: Path, image: str) -> None:
        """Make the cluster from kind's config file and the node image.

        Raises:
            ClusterNotReady: kind fails, or is not done in time; the message has its last words.
        """
        remembered = self._home.kind
        if self.program != remembered:
            remembered.unlink(missing_ok=True)
            remembered.symlink_to(self.program.absolute())
        self._done(
            lambda: self._cluster(image).create(config),
            "kind could not create the cluster",
            seconds=self._patience.kind_create,
            try_="is a port in use, or the disk full? docker ps -a; df -h; run it again",
        )

    def load(self, image: str) -> None:
        """Copy an image of the local engine into the nodes.

        Raises:
            ClusterNotReady: kind fails, or is not done in time.
        """
        self._done(
            lambda: self._cluster().load_docker_image(image),
            f"kind could not load the image {image}",
            seconds=self._patience.kind_load,
            try_=f"is the disk full? df -h; docker image inspect {image}",
        )

    def load_archive(self, archive: Path) -> None:
        """Copy the images of an archive (`docker save`) into the nodes.

        Raises:
            ClusterNotReady: kind fails, or is not done in time.
        """
        words = ["load", "image-archive", str(archive), f"--name={self.name}"]
        self._done(
            lambda: self._ran(*words),
            f"kind could not load the images of {archive}",
            seconds=self._patience.kind_load,
            try_="is the disk full, and did `docker save` write the file? df -h",
        )

    def delete(self) -> None:
        """Delete the cluster; a cluster that does not exist is not an error.

        Raises:
            ClusterNotReady: kind fails, or is not done in time.
        """
        self._done(
            self._cluster().delete,
            "kind could not delete the cluster",
            seconds=self._patience.kind_delete,
            try_=f"kind delete cluster --name={self.name}; does Docker's engine answer?",
        )

    def _ran(self, *words: str) -> None:
        """Run what pytest-kind has no method for, in its way."""
        subprocess.run([self._logged(), *words], check=True, stdout=subprocess.DEVNULL)

    def _asked(self, *words: str) -> str:
        return run([self.program, *words], timeout=self._patience.kind_answer).stdout

    def _done(self, call: Callable[[], None], what: str, *, seconds: float, try_: str) -> None:
        self._pid.unlink(missing_ok=True)
        log = self._home.log
        written = log.stat().st_size if log.exists() else 0
        late = Timer(seconds, self._end)
        late.start()
        try:
            call()
        except subprocess.CalledProcessError as error:
            in_time = late.is_alive()
            raise ClusterNotReady(
                what if in_time else f"{what}: kind did not end within {seconds:g} s",
                where=str(log),
                seen=_last_words(log, written) or str(error),
                try_=try_,
            ) from error
        finally:
            late.cancel()

    def _end(self) -> None:
        """End the running kind."""
        with suppress(OSError, ValueError):
            os.kill(int(self._pid.read_text(encoding="utf-8")), signal.SIGTERM)

    def _cluster(self, image: str | None = None) -> KindCluster:
        """pytest-kind's cluster, with our script in the place of kind.

        Raises:
            ToolMissing: pytest-kind is not installed.
        """
        try:
            # Its licence is the GPL, so it comes with an extra, and only clusters of ours need it.
            from pytest_kind.cluster import KindCluster
        except ImportError as error:
            raise ToolMissing(
                "clusters of policylab are made, loaded and deleted by pytest-kind, and it is not "
                "installed",
                try_="pip install 'policylab[kind]' (its licence is GPL-3.0-or-later); a cluster "
                "of your own (--lab-context=NAME, --context NAME) needs none of it",
            ) from error
        # Its own constructor would make a folder in the working directory.
        cluster = KindCluster.__new__(KindCluster)
        cluster.name, cluster.image = self.name, image
        cluster.path, cluster.kubeconfig_path = self._home.path, self._home.kubeconfig
        cluster.kind_path = self._logged()
        return cluster

    def _logged(self) -> Path:
        """A script that runs kind with its messages in a file; KindCluster would print them."""
        self._home.path.mkdir(parents=True, exist_ok=True)
        program, log, pid = (shlex.quote(str(p)) for p in (self.program, self._home.log, self._pid))
        text = f'#!/bin/sh\necho $$ >{pid}\nexec {program} "$@" 2>>{log}\n'
        self._script.write_text(text, encoding="utf-8")
        self._script.chmod(0o755)
        return self._script


def _last_words(log: Path, since: int) -> str:
    """The last lines of the file, from this byte on."""
    return tail(log.read_bytes()[since:].decode(errors="replace")) if log.exists() else ""
