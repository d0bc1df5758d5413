"""Docker's engine, through its command line; only this module calls it.

Each request to the engine is a method of `Docker`, and all methods call one function. A test passes
its own function, and so has an engine without Docker.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from harness.edge.machine import process
from harness.edge.machine.follow import Follow, follow
from harness.edge.machine.patience import PATIENCE, Patience
from harness.edge.machine.process import CommandFailed, Completed, tail
from harness.errors import EnvironmentFault


class Run(Protocol):
    """Runs a program to its end (see `harness.edge.machine.process.run`)."""

    def __call__(
        self,
        argv: Sequence[str | Path],
        *,
        timeout: float,
        input: str | bytes | None = None,  # noqa: A002 - the word of subprocess
        check: bool = True,
    ) -> Completed:
        """Run it; `timeout` is in seconds."""
        ...


@dataclass(frozen=True, slots=True)
class Docker:
    """The engine that `docker` talks to; `patience` has the deadlines.

    `run` runs a command, `follow` one whose output is read while it runs.

    Unless a method says otherwise, it raises `CommandFailed` if the engine refuses or does not
    answer in time, and `ToolMissing` if there is no `docker`.
    """

    run: Run = process.run
    patience: Patience = PATIENCE
    follow: Follow = follow

    def call(
        self,
        *words: str | Path,
        seconds: float | None = None,
        input: bytes | None = None,  # noqa: A002 - the word of subprocess
        check: bool = True,
    ) -> Completed:
        """One command of the engine; with `check` false, a refusal is not an error.

        `seconds` is its deadline, by default `Patience.engine_answer`.
        """
        deadline = self.patience.engine_answer if seconds is None else seconds
        return self.run(["docker", *words], timeout=deadline, input=input, check=check)

    def move(self, *words: str | Path) -> None:
        """One command that moves gigabytes: load, save, pull, build, run, commit."""
        self.call(*words, seconds=self.patience.engine_move)

    def demand(
        self,
        what: str,
        *words: str | Path,
        input: bytes | None = None,  # noqa: A002 - the word of subprocess
        try_: str = "does Docker's engine work? run `docker info` and `docker ps --all`",
    ) -> Completed:
        """One command of the engine that must succeed.

        Raises:
            EnvironmentFault: the command fails; `what` is the first line, `try_` the last.
        """
        try:
            return self.call(*words, input=input)
        except CommandFailed as error:
            raise EnvironmentFault(what, where=error.where, seen=error.seen, try_=try_) from error

    def inspect(self, kind: str, name: str) -> dict[str, Any] | None:
        """The engine's description of a container, an image or a network; None if there is none.

        Raises:
            EnvironmentFault: the engine does not answer.
        """
        done = self.call(kind, "inspect", name, check=False)
        if done.returncode == 0:
            found: list[dict[str, Any]] = json.loads(done.stdout)
            return found[0]
        said = done.stderr.lower()
        if "no such" in said or "not found" in said:
            return None
        raise EnvironmentFault(
            f"the engine does not say whether there is a {kind} {name}",
            where=f"docker {kind} inspect {name}",
            seen=tail(done.stderr) or f"exit code {done.returncode}",
            try_="is Docker's engine running? run `docker info`",
        )

    def version(self) -> str | None:
        """The version of the engine; None if no engine answers."""
        words = ["version", "--format", "{{.Server.Version}}"]
        try:
            done = self.call(*words, seconds=self.patience.engine_version, check=False)
        except EnvironmentFault:
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    def kernel(self) -> str:
        """The release of the kernel that the engine runs on; empty if the engine does not say."""
        words = ["info", "--format", "{{.KernelVersion}}"]
        try:
            done = self.call(*words, seconds=self.patience.engine_version, check=False)
        except EnvironmentFault:
            return ""
        return done.stdout.strip() if done.returncode == 0 else ""

    def has_image(self, ref: str) -> bool:
        """Whether the engine holds this image."""
        return self.call("image", "inspect", "--format", "ok", ref, check=False).returncode == 0

    def has_images(self, refs: Iterable[str]) -> bool:
        """Whether the engine holds each of these images."""
        return all(self.has_image(ref) for ref in refs)

    def images(self, repository: str) -> list[str]:
        """The names, with their tags, of all images of a repository."""
        words = ["image", "ls", "--format={{.Repository}}:{{.Tag}}", repository]
        return self.call(*words).stdout.split()

    def tag(self, ref: str, name: str) -> None:
        """Give an image another name; an image that has this name loses it."""
        self.call("tag", ref, name)

    def remove_image(self, ref: str) -> None:
        """Remove an image's name; an image in use, or one that does not exist, is not an error."""
        self.call("image", "rm", ref, seconds=self.patience.engine_remove, check=False)

    def pull(self, ref: str, heard: Callable[[str], None]) -> None:
        """Pull an image; `heard` gets each line, and an empty text after a second without one.

        Raises:
            TooLate: the registry says nothing, or the image is not complete in time.
            CommandFailed: the registry does not give it.
        """
        self.follow(
            ["docker", "pull", ref],
            timeout=self.patience.engine_move,
            first=self.patience.registry_answer,
            heard=heard,
        )

    def load(self, archive: Path) -> None:
        """Load the images of an archive."""
        self.move("load", "--quiet", "--input", archive)

    def save(self, refs: Sequence[str], archive: Path) -> None:
        """Write images into one archive, which has shared layers only once."""
        self.move("save", "--output", archive, *refs)

    def ids(self, *filters: str, stopped: bool = False) -> tuple[str, ...]:
        """The ids of the containers that pass these filters; `stopped` adds stopped containers."""
        words = ["ps", "--quiet", "--no-trunc", *(["--all"] if stopped else [])]
        found = self.call(*words, *(f"--filter={each}" for each in filters))
        return tuple(sorted(found.stdout.split()))

    def remove_container(self, name: str) -> None:
        """Remove a container with its volumes; a missing container is not an error."""
        words = ["rm", "--force", "--volumes", name]
        self.call(*words, seconds=self.patience.engine_remove, check=False)


DOCKER = Docker()
"""This machine's engine."""
