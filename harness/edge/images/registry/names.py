"""The names of official images, and of the same images in a mirror.

In a mirror, an image of Docker Hub keeps its path (`kindest/node`, `library/debian`), and an image
of another registry has that registry's host as the first part of its path (`quay.io/cilium/...`).
Two official images therefore never get one name, and Docker Hub's need no further word.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.edge.images.versions import read_toml, unreadable

PINS = "registries.toml"
HUB = "docker.io"
_HOST = r"(?:\[[0-9A-Fa-f:]+\]|[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)(?::\d{1,5})?"
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_MIRROR = re.compile(rf"({_HOST})((?:/{_PART})*)")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_LOOPBACK = re.compile(r"(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?")
LONGEST = 200


@dataclass(frozen=True, slots=True)
class Name:
    """The name of an image.

    Attributes:
        host: the registry's host, with its port if it has one.
        path: the path below the host, e.g. library/debian.
        tag: the tag, e.g. v3.30.1.
        digest: the digest of the content, e.g. sha256:44e2...; empty if it is not pinned.
    """

    host: str
    path: str
    tag: str
    digest: str = ""

    @classmethod
    def of(cls, text: str) -> Name:
        """Read a full or a short name as Docker reads it: `debian:12` is of Docker Hub."""
        place, _, digest = text.partition("@")
        first, slash, rest = place.partition("/")
        named = bool(slash) and ("." in first or ":" in first or first == "localhost")
        host, path = (first, rest) if named else (HUB, place)
        path, _, tag = path.partition(":")
        if host == HUB and "/" not in path:
            path = f"library/{path}"
        return cls(host, path, tag or "latest", digest)

    @property
    def short(self) -> str:
        """The name without the host of Docker Hub, and without a tag."""
        return self.path if self.host == HUB else f"{self.host}/{self.path}"

    @property
    def tagged(self) -> str:
        """The name without a digest, by which manifests call the image."""
        return f"{self.short.removeprefix('library/')}:{self.tag}"

    @property
    def ref(self) -> str:
        """The name by which it is pulled; a digest decides, if there is one."""
        return f"{self.tagged}@{self.digest}" if self.digest else self.tagged


@dataclass(frozen=True, slots=True)
class Mirror:
    """A registry with copies of the official images, or the official registries themselves.

    Attributes:
        place: `HOST[:PORT][/PREFIX]`; empty means the official registries.
        pins: the digests that this mirror has in the place of the official ones, by the image's
            official name with its tag.
    """

    place: str = ""
    pins: Mapping[str, str] = field(default_factory=dict)

    def name(self, official: str) -> Name:
        """The image's name here, with the digest that it must have."""
        name = Name.of(official)
        if not self.place:
            return name
        host, _, prefix = self.place.partition("/")
        path = f"{prefix}/{name.short}" if prefix else name.short
        return Name(host, path, name.tag, self.pins.get(name.tagged, name.digest))


def mirror_place(place: str) -> str:
    """The place of a mirror as a user wrote it, without a slash at its end; empty stays empty.

    Raises:
        ValueError: it is not `HOST[:PORT][/PREFIX]`.
    """
    if not place:
        return ""
    text = place.removesuffix("/")
    if "://" in text:
        raise ValueError(
            f"{place[:LONGEST]} has a scheme: write it without {text.split('//')[0]}//"
        )
    found = _MIRROR.fullmatch(text) if len(text) <= LONGEST else None
    if found is None:
        raise ValueError(
            f"{place[:LONGEST]} is not HOST[:PORT][/PREFIX], with small letters in the prefix"
        )
    host = found[1]
    if "." not in host and ":" not in host and host != "localhost":
        raise ValueError(
            f"Docker would take {host} for a name on Docker Hub, because it has neither a dot nor "
            f"a port: write {host}:443, or the host's full name"
        )
    return text


def loopback(host: str) -> bool:
    """Whether the host is this machine, where Docker takes plain HTTP as well."""
    return _LOOPBACK.fullmatch(host) is not None


def read_mirror(place: str, home: Path, known: Collection[str]) -> Mirror:
    """The mirror at a place, with its digests from `registries.toml` in the recipes' folder.

    `known` are the official names; a digest for another image would be without effect.

    Raises:
        ImageUnavailable: the file cannot be read, or has a digest that means nothing.
    """
    file = home / PINS
    if not place or not file.is_file():
        return Mirror(place)
    tables = {name.removesuffix("/"): table for name, table in read_toml(file).items()}
    pins = tables.get(place, {})
    if not isinstance(pins, dict):
        raise unreadable(file, f"{place!r} is not a table")
    images = {Name.of(official).short for official in known}
    for name, digest in pins.items():
        if Name.of(name).short not in images:
            raise unreadable(file, f"no official image is called {name!r}: {', '.join(images)}")
        if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
            raise unreadable(file, f"{name}: {digest!r} is not sha256: and 64 digits")
    return Mirror(place, {Name.of(name).tagged: digest for name, digest in pins.items()})
