"""Somebody else's CNI: a folder with facts (`cni.toml`), manifests, and images as files.

    name = "flannel"                  # for names of clusters and results
    version = "v0.28.10"
    daemon_set = "kube-flannel-ds"    # in kube-system; the CNI is ready when it is
    manifests = ["manifests.yaml"]    # applied in this order, as they are
    images = ["flannel.tar"]          # archives of `docker save`, loaded into the nodes
    lanes = 1                         # how many tutorials may change their policies at once
    kernel = ["VXLAN"]                # the kernel's options that it needs, without CONFIG_
    agent = "calico"                  # whose agent enforces its policies: its counters can be read

    [profile]                         # what is known of the lines of the table of CNI differences
    denied = "timeout"

All but the name, the version, the DaemonSet and the manifests may be left out. A row that follows a
line that the profile does not tell is left out, and so is a row about counters that nobody can
read. The manifests go to the cluster that the run makes; nothing of the folder is executed on this
machine.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from harness.core.lab.documented import parse_reading
from harness.core.lab.profile import LINES, CniProfile, profile_of
from harness.core.model import CILIUM_POLICY, NETWORK_POLICY
from harness.edge.cni.value import Cni, Own
from harness.edge.machine.health.kernel import FEATURES
from harness.errors import ContentError, EnvironmentFault

FILE = "cni.toml"
KINDS = (NETWORK_POLICY, CILIUM_POLICY)
MAX_TEXT = 4 << 20
"""Bytes of cni.toml, and of one file of manifests."""
MAX_FILES = 32
MAX_LANES = 4

_NAME = re.compile(r"[a-z]([a-z0-9-]{0,28}[a-z0-9])?")
_OBJECT = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_REQUIRED = ("name", "version", "daemon_set", "manifests")
_KEYS = (*_REQUIRED, "images", "lanes", "kinds", "kernel", "agent", "profile")


def cni_in(folder: Path, known: Mapping[str, Cni]) -> Cni:
    """The CNI of this folder. `known` are policylab's own, by names that it cannot have.

    Raises:
        EnvironmentFault: the folder lacks a part, or a part is wrong; the message says which.
    """
    found = _Facts(folder)
    name = found.text("name", _NAME, "lower-case letters, digits and hyphens, 30 at most")
    if name in known:
        raise found.wrong(
            "name", f"policylab has a CNI {name} of its own", f"call yours {name}-dev, for example"
        )
    manifests = [found.file(each) for each in found.texts("manifests", least=1)]
    texts = [_text(file) for file in manifests]
    images = tuple(found.file(each) for each in found.texts("images"))
    lanes = found.get("lanes", 1)
    if type(lanes) is not int or not 1 <= lanes <= MAX_LANES:
        raise found.wrong("lanes", f"it is no number from 1 to {MAX_LANES}")
    kernel = tuple(found.texts("kernel"))
    if strange := [option for option in kernel if option not in FEATURES]:
        raise found.wrong("kernel", f"no check knows {strange[0]}; known: {', '.join(FEATURES)}")
    agent = known.get(str(found.get("agent", "")))
    agent = agent and agent.with_dataplane("")
    if agent is None and found.get("agent", "") != "":
        raise found.wrong("agent", f"policylab knows the agents of {' and '.join(known)}")
    return Cni(
        profile=_profile(found, name),
        package="",
        daemon_set=found.text("daemon_set", _OBJECT, "the name of a DaemonSet in kube-system"),
        drops=agent.drops if agent else None,
        realised=agent.realised if agent else None,
        remembers=agent.remembers if agent else None,
        lanes=lanes,
        kernel=kernel,
        own=Own(
            version=found.text("version", re.compile(r"[\w.+-]{1,60}"), "a version, e.g. v1.2.3"),
            manifests="\n---\n".join(texts),
            archives=images,
        ),
    )


def _profile(found: _Facts, name: str) -> CniProfile:
    told = found.get("profile", {})
    if not isinstance(told, Mapping):
        raise found.wrong("profile", "it is no table", "write [profile], and a line below it")
    found.known(told, tuple(LINES), "line of the table of CNI differences")
    readings: dict[str, Any] = {}
    for line, cell in told.items():
        try:
            readings[line] = parse_reading(str(cell), where=f"{found.path}: profile.{line}")
        except ContentError as error:
            raise EnvironmentFault(
                error.what, where=error.where, seen=error.seen, try_=error.try_
            ) from error
    kinds = frozenset(found.texts("kinds")) or frozenset({NETWORK_POLICY})
    if not kinds <= set(KINDS):
        raise found.wrong("kinds", f"policylab knows {' and '.join(KINDS)}")
    return profile_of(name, readings, kinds)


class _Facts:
    """What cni.toml says."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.path = folder, folder / FILE
        if not self.path.is_file():
            raise EnvironmentFault(
                "there is no CNI in this place",
                where=str(folder),
                seen=f"the folder has no {FILE}" if folder.is_dir() else "there is no such folder",
                try_="docs/cni.md says what belongs into the folder",
            )
        try:
            self._found: Mapping[str, Any] = tomllib.loads(_text(self.path))
        except tomllib.TOMLDecodeError as error:
            raise EnvironmentFault(
                "cni.toml cannot be read", where=str(self.path), seen=str(error)
            ) from error
        self.known(self._found, _KEYS, "key")
        for key in _REQUIRED:
            if key not in self._found:
                raise self.wrong(key, "it is missing")

    def known(self, found: Mapping[str, Any], keys: tuple[str, ...], what: str) -> None:
        """Refuse what nobody would read."""
        for key in found:
            if key not in keys:
                near = get_close_matches(key, keys, n=1)
                raise EnvironmentFault(
                    f"`{key}` is no {what}",
                    where=str(self.path),
                    seen=f"known: {', '.join(keys)}",
                    try_=f"did you mean `{near[0]}`?" if near else "",
                )

    def get(self, key: str, default: object) -> Any:
        return self._found.get(key, default)

    def text(self, key: str, form: re.Pattern[str], words: str) -> str:
        found = self._found[key]
        if not isinstance(found, str) or not form.fullmatch(found):
            raise self.wrong(key, f"it is not {words}")
        return found

    def texts(self, key: str, least: int = 0) -> list[str]:
        found = self._found.get(key, [])
        right = isinstance(found, list) and all(isinstance(each, str) for each in found)
        if not right or not least <= len(found) <= MAX_FILES:
            raise self.wrong(key, f"it is not a list of {least} to {MAX_FILES} texts")
        return [str(each) for each in found]

    def file(self, name: str) -> Path:
        """A file of the folder."""
        path = (self.folder / name).resolve()
        if not path.is_relative_to(self.folder.resolve()):
            raise self.wrong(name, "the file is outside of the folder")
        if not path.is_file():
            raise EnvironmentFault(
                "a file that cni.toml names is missing",
                where=str(self.path),
                seen=f"no file {name}",
                try_="docs/cni.md says how to make the archive of an image",
            )
        return path

    def wrong(self, key: str, why: str, try_: str = "") -> EnvironmentFault:
        seen = f"{key} = {self._found[key]!r}" if key in self._found else ""
        return EnvironmentFault(
            f"`{key}` in cni.toml is wrong: {why}", where=str(self.path), seen=seen[:400], try_=try_
        )


def _text(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            data = opened.read(MAX_TEXT + 1)
    except OSError as error:
        raise EnvironmentFault(
            "the file cannot be read", where=str(file), seen=error.strerror or str(error)
        ) from error
    if len(data) > MAX_TEXT:
        raise EnvironmentFault(f"the file has more than {MAX_TEXT >> 20} MiB", where=str(file))
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise EnvironmentFault("the file is not UTF-8", where=str(file), seen=str(error)) from error
