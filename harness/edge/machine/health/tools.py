"""Programs: those that build images, and those that only people use."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

from harness.edge.machine.health.finding import Finding, State
from harness.edge.machine.health.looks import Looks
from harness.edge.machine.health.rights import rights
from harness.errors import ToolMissing

GO_NEEDED = (1, 26)
BUILD = {"mmdebstrap": "mmdebstrap", "gcc": "gcc", "dpkg-query": "dpkg"}
"""The programs that make root file systems and static programs, and their Debian packages."""
HEADERS = "libc6-dev"
PYTHON_NEWEST = (3, 13)
"""The newest Python that policylab was tested with."""


def missing_packages(looks: Looks) -> list[str]:
    """The Debian packages that a build needs and the machine lacks."""
    missing = [package for tool, package in BUILD.items() if looks.which(tool) is None]
    libc = looks.names("/usr/lib", "*/libc.a")
    if not looks.there("/usr/include/stdio.h") or not libc:
        missing.append(HEADERS)
    return missing


def builders(looks: Looks) -> Finding:
    """Whether images can be built here: the rights, and the programs that apt brings."""
    name = "build tools"
    if lack := rights(looks, "build images", name=name):
        return lack
    missing = missing_packages(looks)
    if not missing:
        return Finding(name, State.GOOD, "the programs that build images are there")
    return Finding(
        name,
        State.NOTE,
        f"the packages {', '.join(missing)} are missing",
        where="PATH",
        cure="`policylab cluster up` installs them when it builds images",
    )


def archive(sources: Callable[[], str]) -> Finding:
    """Whether apt knows Debian's archive, from which root file systems come.

    `sources` finds it in apt's configuration.
    """
    name = "packages"
    try:
        sources()
    except ToolMissing as error:
        return Finding(
            name,
            State.LACK,
            error.what,
            where=error.where,
            seen=error.seen,
            cure=error.try_,
        )
    except OSError as error:
        return Finding(
            name,
            State.LACK,
            "apt's sources cannot be read",
            where=str(error.filename),
            seen=error.strerror or str(error),
            cure="run on a Debian machine, or use --images=registry or a bundle",
        )
    return Finding(name, State.GOOD, "apt knows Debian's archive; whether it answers was not asked")


def go_version(looks: Looks, command: str) -> tuple[int, ...]:
    """Major and minor version of a Go command; (0,) if it does not say."""
    found = re.match(r"go(\d+)\.(\d+)", looks.said(command, "env", "GOVERSION") or "")
    return tuple(int(part) for part in found.groups()) if found else (0,)


def go(looks: Looks, home: Path) -> Finding:
    """Whether there is a Go that is new enough: on PATH, or in the folder of one from PyPI."""
    name, wanted = "Go", ".".join(map(str, GO_NEEDED))
    own = looks.which("go")
    found = go_version(looks, own) if own is not None else (0,)
    if found >= GO_NEEDED:
        return Finding(name, State.GOOD, f"Go {'.'.join(map(str, found))} is on PATH")
    if looks.there(str(home)):
        return Finding(name, State.GOOD, f"policylab has its own Go, in {home}")
    told = "not on PATH" if own is None else f"too old: {'.'.join(map(str, found))}"
    return Finding(
        name,
        State.NOTE,
        f"Go is {told}; compiling needs {wanted}",
        where=own or "PATH",
        cure="`policylab cluster up` takes it from PyPI when it builds images",
    )


def git(looks: Looks) -> Finding:
    """Whether there is git, by which this repository is kept up to date."""
    said = looks.said("git", "--version")
    if said is not None:
        return Finding("git", State.GOOD, f"{' '.join(said.split()[:3])} is on PATH")
    return Finding(
        "git",
        State.NOTE,
        "git is not on PATH",
        where="PATH",
        cure="the labs run without it; apt-get install git to fetch newer versions of policylab",
    )


def kubectl(looks: Looks, fits: Callable[[str], bool], kubernetes: str) -> Finding:
    """Whether the kubectl on PATH fits the cluster; policylab itself uses one that it built.

    `fits` says so of a version (kubernetes.io/releases/version-skew-policy).
    """
    name = "kubectl"
    said = looks.said("kubectl", "version", "--client", "--output=json")
    if said is None:
        return Finding(
            name,
            State.NOTE,
            "no kubectl on PATH",
            where="PATH",
            cure="nothing is to be done: policylab builds one with the images of its clusters",
        )
    try:
        version = str(json.loads(said)["clientVersion"]["gitVersion"])
    except (ValueError, KeyError, TypeError):
        version = ""
    if fits(version):
        return Finding(name, State.GOOD, f"kubectl {version} fits Kubernetes {kubernetes}")
    return Finding(
        name,
        State.NOTE,
        f"the kubectl on PATH does not fit Kubernetes {kubernetes}",
        where=looks.which("kubectl") or "PATH",
        seen=version[:80] or "it does not say its version",
        cure="policylab uses its own; at the prompt, use one that is at most one minor version off",
    )


def python(looks: Looks) -> Finding:
    """Whether policylab was tested with this Python."""
    version = ".".join(map(str, looks.python()))
    if looks.python() <= PYTHON_NEWEST:
        return Finding("Python", State.GOOD, f"policylab runs on Python {version}")
    newest = ".".join(map(str, PYTHON_NEWEST))
    return Finding(
        "Python",
        State.NOTE,
        f"policylab was not tested with Python {version}",
        seen=f"tested with 3.11 to {newest}",
        cure=f"if something fails, make the environment anew: make labs PYTHON=python{newest}",
    )
