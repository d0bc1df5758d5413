"""Debian packages: the machine's sources, and the installation from another suite.

The mirror comes from the machine's own configuration; this project names no address.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from harness.edge.machine.patience import PATIENCE, Patience
from harness.edge.machine.process import run
from harness.errors import ToolMissing

ETC = Path("/etc/apt")
OS_RELEASE = Path("/etc/os-release")
ONE_LINE = re.compile(r"^deb\s+(?:\[(?P<options>[^]]*)\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)\s+(.*)$")
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def sources_for(suite: str, *, etc: Path = ETC, os_release: Path = OS_RELEASE) -> str:
    """Sources (deb822) for a Debian suite from the mirrors that this machine uses.

    They are the machine's own stanzas (main archive, updates and security) with the suite's name
    replaced. Stanzas of other vendors are left out.

    Raises:
        ToolMissing: the machine's sources name no Debian archive.
    """
    machine = _codename(os_release)
    stanzas = []
    for stanza in _stanzas(etc):
        suites = [
            word.replace(machine, suite, 1)
            for word in stanza["Suites"].split()
            if word.split("-", 1)[0] == machine
        ]
        if suites:
            kept = {**stanza, "Suites": " ".join(suites), "Components": "main"}
            kept.setdefault("Signed-By", KEYRING)
            stanzas.append("\n".join(f"{key}: {value}" for key, value in kept.items()))
    if not stanzas:
        raise ToolMissing(
            "this machine's package sources name no Debian archive",
            where=str(etc),
            seen=f"no source for suite {machine!r}",
            try_="add Debian's archive to the machine's apt sources",
        )
    return "\n\n".join(stanzas) + "\n"


def install(
    packages: Sequence[str], patience: Patience = PATIENCE, *, suite: str | None = None
) -> None:
    """Install packages; with `suite`, only these packages come from that suite.

    Raises:
        CommandFailed: apt does not install them.
        ToolMissing: this is not a Debian machine.
    """
    with tempfile.TemporaryDirectory(prefix="policylab-apt-") as name:
        options = _configuration(Path(name), packages, suite)
        run(["apt-get", *options, "update", "-q"], timeout=patience.package_lists)
        run(
            ["apt-get", *options, "install", "-q", "-y", "--no-install-recommends", *packages],
            timeout=patience.packages,
            env={"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"},
        )


def _configuration(
    home: Path,
    packages: Sequence[str],
    suite: str | None,
    *,
    etc: Path = ETC,
    os_release: Path = OS_RELEASE,
) -> list[str]:
    """Write a configuration beside the machine's own; the options by which apt uses it."""
    sources, pins, lists = home / "sources", home / "pins", home / "lists"
    for folder in (sources, pins, lists / "partial"):
        folder.mkdir(parents=True)
    for name, wanted in (("machine", _codename(os_release)), ("other", suite)):
        if wanted is not None:
            text = sources_for(wanted, etc=etc, os_release=os_release)
            (sources / f"{name}.sources").write_text(text, encoding="utf-8")
    if suite is not None:
        (pins / "only-these").write_text(
            f"Package: {' '.join(packages)}\nPin: release n={suite}*\nPin-Priority: 990\n\n"
            f"Package: *\nPin: release n={suite}*\nPin-Priority: -10\n",
            encoding="utf-8",
        )
    settings = {
        "Dir::Etc::sourcelist": "/dev/null",
        "Dir::Etc::sourceparts": str(sources),
        "Dir::Etc::preferences": "/dev/null",
        "Dir::Etc::preferencesparts": str(pins),
        "Dir::State::lists": str(lists),
    }
    return [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]


def _codename(os_release: Path) -> str:
    for line in os_release.read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition("=")
        if key == "VERSION_CODENAME":
            return value.strip('"')
    return "unknown"


def _stanzas(etc: Path) -> Iterator[Mapping[str, str]]:
    """Every source of the machine, in either of apt's two formats, as deb822 fields."""
    for path in sorted((etc / "sources.list.d").glob("*.sources")):
        yield from _deb822(path.read_text(encoding="utf-8"))
    for path in [etc / "sources.list", *sorted((etc / "sources.list.d").glob("*.list"))]:
        if path.is_file():
            yield from _one_line(path.read_text(encoding="utf-8").splitlines())


def _deb822(text: str) -> Iterator[Mapping[str, str]]:
    kept = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for block in re.split(r"\n\s*\n", kept):
        fields = dict(re.findall(r"^([A-Za-z-]+):[ \t]*((?:.|\n[ \t])*)", block, re.MULTILINE))
        is_binary = "Suites" in fields and "deb" in fields.get("Types", "").split()
        if is_binary and fields.get("Enabled", "yes").strip() != "no":
            yield {**fields, "Types": "deb"}


def _one_line(lines: Iterable[str]) -> Iterator[Mapping[str, str]]:
    for line in lines:
        if match := ONE_LINE.match(line.strip()):
            fields = {"Types": "deb", "URIs": match["uri"], "Suites": match["suite"]}
            signed = re.search(r"signed-by=(\S+)", match["options"] or "")
            yield {**fields, "Signed-By": signed[1]} if signed else fields
