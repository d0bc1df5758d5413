"""Pulls one image: how far it is, and in words why it cannot be had."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from harness.edge.images.registry.names import Name, loopback
from harness.edge.machine.docker import Docker
from harness.edge.machine.follow import TooLate
from harness.edge.machine.process import CommandFailed
from harness.errors import ImageUnavailable
from harness.progress import Progress

TELL_EVERY = 15.0
ELSEWHERE = "; or --lab-images=build (needs no registry) or --lab-images=bundle"


class Fault(NamedTuple):
    """Words of the engine, and what they mean; `{host}` and `{name}` are filled in."""

    words: str
    what: str
    try_: str


MISSING = Fault(
    r"manifest unknown|name unknown|no such manifest|not found",
    "the registry {host} does not have the image {name}",
    "copy it there with all its platforms and its digest: `crane copy`, or `skopeo copy --all`",
)
OTHER = Fault(
    r"verification failed|unexpected (commit )?digest|mismatch",
    "the registry {host} has another content under the name {name} than the recipe pins",
    "copy the official image with `crane copy` or `skopeo copy --all`, which keep its digest "
    "(`docker push` does not); if it is a build of your own, pin its digest in "
    "images/registries.toml",
)
DIED = Fault(
    "",
    "the registry {host} broke off in the middle of the image {name}",
    "does the registry still run? run the same command again: complete parts are kept",
)
STUCK = Fault(
    "",
    "the image {name} was not complete in time",
    "does the registry {host} hang? --lab-patience=4 gives a slow network more time; complete "
    "parts are kept",
)
SILENT = Fault(
    "",
    "the registry {host} does not say in time what the image {name} is made of",
    "does {host} work, and does a firewall drop its packets? --lab-patience=4 waits longer",
)
UNREACHED = Fault(
    r"connection refused|no such host|network is unreachable|no route to host|i/o timeout"
    r"|handshake timeout|Client\.Timeout|deadline exceeded|connection reset|EOF",
    "no registry answers at {host}",
    "is the name right, and does the registry run? see `docker info` for the engine's proxy",
)
FAULTS = (
    Fault(
        r"HTTP response to HTTPS client",
        "the registry {host} speaks plain HTTP, which Docker takes from this machine only",
        "give it a certificate, or add {host} to insecure-registries in /etc/docker/daemon.json "
        "and restart Docker",
    ),
    Fault(
        r"x509:|certificate",
        "Docker does not trust the certificate of the registry {host}",
        "put the certificate of its authority into /etc/docker/certs.d/{host}/ca.crt",
    ),
    Fault(
        r"unauthorized|no basic auth credentials|authentication required|denied|forbidden",
        "the registry {host} wants a login for the image {name}, or refuses it",
        "docker login {host}; is the name right?",
    ),
    Fault(
        r"toomanyrequests|too many requests|rate limit",
        "the registry {host} gives no more images for now",
        "docker login {host}, or use a mirror: --lab-registry=HOST",
    ),
    Fault(
        r"no space left",
        "the disk of Docker's engine is full",
        "docker system df; docker image prune",
    ),
    Fault(
        r"no matching manifest",
        "the registry {host} has the image {name}, but not for this kind of machine",
        "copy it there with all its platforms: `crane copy`, or `skopeo copy --all`",
    ),
    OTHER,
    UNREACHED,
    MISSING,
)
UNKNOWN = Fault(
    "", "the image {name} cannot be pulled from the registry {host}", "docker pull {ref}"
)


@dataclass(slots=True)
class Hearing:
    """What the engine says while it pulls.

    `begun` is set once the registry has told the parts of the image. `parts` is how many there are,
    `here` how many of them the engine has, `digest` what the image turned out to be.
    """

    name: str
    progress: Progress
    seconds: float
    clock: Callable[[], float] = time.monotonic
    began: float = 0.0
    told: float = 0.0
    begun: bool = False
    parts: set[str] = field(default_factory=set)
    here: set[str] = field(default_factory=set)
    digest: str = ""

    def __post_init__(self) -> None:
        self.began = self.told = self.clock()

    def __call__(self, line: str) -> None:
        """Take a line of `docker pull`, or an empty text when there was none for a while."""
        part, _, state = line.partition(": ")
        if state.startswith("Pulling from "):
            self.begun = True
        elif state.startswith(("Pulling fs layer", "Already exists", "Pull complete")):
            self.parts.add(part)
            if not state.startswith("Pulling"):
                self.here.add(part)
        elif part == "Digest":
            self.digest = state
        elif state.startswith("Retrying"):
            self.progress.note(f"{self.name}: the registry broke off; Docker tries it again")
        if (now := self.clock()) - self.told >= TELL_EVERY:
            self.told = now
            self.progress.note(
                f"{self.name}: {len(self.here)} of {len(self.parts) or 'an unknown number of'} "
                f"parts are here after {now - self.began:.0f} s; "
                f"it is given up after {self.seconds:.0f} s"
            )


def pull(docker: Docker, name: Name, progress: Progress) -> None:
    """Pull an image unless the engine has it, and give it its name without a digest.

    Raises:
        ImageUnavailable: it cannot be had; the message says why, as far as the engine knows.
    """
    if not docker.has_image(name.ref):
        hearing = Hearing(name.tagged, progress, docker.patience.engine_move)
        with progress.step(f"pulling {name.tagged}"):
            try:
                docker.pull(name.ref, hearing)
            except CommandFailed as error:
                raise _fault(docker, name, error, begun=hearing.begun) from error
        if not name.digest and hearing.digest:
            progress.note(f"{name.tagged} has no pinned digest; it is {hearing.digest}")
    if name.digest:
        docker.tag(name.ref, name.tagged)


def _fault(docker: Docker, name: Name, error: CommandFailed, *, begun: bool) -> ImageUnavailable:
    seen = error.seen
    if isinstance(error, TooLate):
        fault = STUCK if begun else SILENT
        seen = f"{error.what}; the last words: {seen}"
    else:
        last = error.completed.stdout.splitlines()[-1:] or [error.completed.stderr]
        found = [each for each in FAULTS if re.search(each.words, last[0] or seen, re.IGNORECASE)]
        fault = found[0] if found else UNKNOWN
        seen = last[0] or seen
        if fault is UNREACHED and begun:
            fault = DIED
    if fault is MISSING and name.digest and (there := digest_there(docker, name)):
        fault, seen = OTHER, f"{name.tagged} is {there} there, and {name.digest} is pinned"
    words = {"host": name.host, "name": name.tagged, "ref": name.ref}
    return ImageUnavailable(
        fault.what.format(**words),
        where=f"docker pull {name.ref}",
        seen=seen,
        try_=fault.try_.format(**words) + ELSEWHERE,
    )


def digest_there(docker: Docker, name: Name) -> str:
    """What the registry has under the name without the digest, in words; empty if nothing is known.

    The command does not say the digest of an image with several platforms.
    """
    plain = replace(name, digest="").ref
    words = ["manifest", "inspect", "--verbose", *(["--insecure"] if loopback(name.host) else [])]
    seconds = docker.patience.registry_answer
    try:
        done = docker.call(*words, plain, seconds=seconds, check=False)
        found = json.loads(done.stdout) if done.returncode == 0 else None
    except (CommandFailed, ValueError):
        return ""
    if isinstance(found, list):
        return f"an image of {len(found)} platforms with another digest"
    digest = found.get("Descriptor", {}).get("digest", "") if isinstance(found, dict) else ""
    return digest if re.fullmatch(r"sha256:[0-9a-f]{64}", str(digest)) else ""
