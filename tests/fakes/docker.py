"""An engine without Docker: it has what a test puts into it, and remembers what it was asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.edge.machine.docker import Docker
from harness.edge.machine.patience import PATIENCE
from harness.edge.machine.process import CommandFailed, Completed

Answer = tuple[int, str, str]
"""An exit code, and what is printed to stdout and stderr."""


class FakeEngine:
    """Hand `docker` to what talks to an engine.

    `images` has the id of each image by name, `containers` and `networks` what `inspect` says of
    them, `ids` the ids that `ps` lists. `kernel` is the release of the kernel that it runs on.
    `online`: whether a registry answers. `broken`: what every command says, if the engine does not
    work. `calls` are the commands, without the word docker; `told` is what they got on stdin.
    `answers` are asked first; the first that knows a command answers it. `patience` has the
    deadlines of what uses the engine.
    """

    def __init__(self, *answers: Callable[[list[str]], Answer | None]) -> None:
        self.images: dict[str, str] = {}
        self.containers: dict[str, dict[str, Any]] = {}
        self.networks: dict[str, dict[str, Any]] = {}
        self.kernel = ""
        self.ids: tuple[str, ...] = ()
        self.online = False
        self.broken = ""
        self.calls: list[list[str]] = []
        self.told: list[str] = []
        self.seconds: list[float] = []
        self.answers = list(answers)
        self.patience = PATIENCE

    @property
    def docker(self) -> Docker:
        """The engine, as policylab sees it."""
        return Docker(self.run, self.patience, self.follow)

    def did(self, *verb: str) -> list[list[str]]:
        """The commands that began with these words."""
        return [words for words in self.calls if words[: len(verb)] == [*verb]]

    def run(
        self,
        argv: Sequence[str | Path],
        *,
        timeout: float,
        input: str | bytes | None = None,  # noqa: A002 - the word of subprocess
        check: bool = True,
    ) -> Completed:
        _, *words = (str(word) for word in argv)
        self.calls.append(words)
        self.seconds.append(timeout)
        if input is not None:
            self.told.append(input.decode() if isinstance(input, bytes) else input)
        code, out, err = self._answer(words)
        done = Completed(("docker", *words), code, out, err, 0.0)
        if check and code:
            raise CommandFailed(f"docker failed with exit code {code}", replace(done))
        return done

    def follow(
        self,
        argv: Sequence[str | Path],
        *,
        timeout: float,
        first: float,
        heard: Callable[[str], None],
    ) -> Completed:
        """All lines come at once, and nothing is ever too late."""
        assert first <= timeout
        done = self.run(argv, timeout=timeout, check=False)
        for line in (done.stdout + done.stderr).splitlines():
            heard(line)
        if done.returncode:
            said = replace(done, stdout=done.stdout + done.stderr, stderr="")
            raise CommandFailed(f"docker failed with exit code {done.returncode}", said)
        return done

    def _answer(self, words: list[str]) -> Answer:
        found = (each(words) for each in self.answers)
        told = next((answer for answer in found if answer is not None), None)
        if told is not None:
            return told
        return (1, "", self.broken) if self.broken else self._well(words)

    def _well(self, words: list[str]) -> Answer:
        match words:
            case [kind, "inspect", *_, name] if kind != "manifest":
                return self._inspect(kind, name)
            case ["image", "ls", *_, repository]:
                return 0, "\n".join(n for n in self.images if n.startswith(f"{repository}:")), ""
            case ["image", "rm", name]:
                self.images.pop(name, None)
            case ["pull", name] if self.online:
                self.images[name] = name
                return 0, f"x: Pulling from {name}\nDigest: sha256:{64 * '1'}\n", ""
            case ["pull", name]:
                return 1, "", f"Error response from daemon: Get {name}: no such host\n"
            case ["tag", name, other] if name in self.images:
                self.images[other] = self.images[name]
            case ["save", "--output", file, *_]:
                Path(file).write_text("images", encoding="utf-8")
        said = {"version": "26.1.5\n", "info": f"{self.kernel}\n", "ps": "\n".join(self.ids)}
        return int(words[0] == "manifest" and not self.online), said.get(words[0], ""), ""

    def _inspect(self, kind: str, name: str) -> Answer:
        things: dict[str, dict[str, Any]] = {
            "container": self.containers,
            "image": {name: {"Id": number} for name, number in self.images.items()},
            "network": self.networks,
        }
        found = things[kind].get(name)
        return (0, json.dumps([found]), "") if found else (1, "[]", f"Error: No such {kind}: x\n")
