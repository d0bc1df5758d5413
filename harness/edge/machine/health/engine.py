"""Docker's engine: the one that answers, or what keeps policylab from starting one."""

from __future__ import annotations

import re

from harness.edge.machine.docker import Docker
from harness.edge.machine.health.finding import Finding, State
from harness.edge.machine.health.kernel import RELEASE
from harness.edge.machine.health.looks import Looks
from harness.edge.machine.health.rights import rights

NAME = "Docker engine"
# Debian 12's engine is too old to start privileged containers where CAP_SYS_RESOURCE is missing.
SUITE = "trixie"
SYS_RESOURCE = 24
"""The number of the capability (capabilities(7), linux/capability.h)."""
OLDEST_WITHOUT = 23
"""The first major version of the engine that was seen to start such containers without it: 26."""


def engine(looks: Looks, docker: Docker) -> Finding:
    """The engine that answers; else whether policylab can install one and start it."""
    version = docker.version()
    if version is None:
        return no_engine(looks)
    major = re.match(r"\d+", version)
    if major and int(major[0]) < OLDEST_WITHOUT and not _sys_resource(looks):
        return Finding(
            NAME,
            State.LACK,
            f"Docker's engine {version} cannot start privileged containers here",
            where="/proc/self/status",
            seen="the capability CAP_SYS_RESOURCE is missing",
            cure=f"stop this engine and install docker.io from Debian {SUITE}",
        )
    return Finding(NAME, State.GOOD, f"Docker's engine {version} answers")


def no_engine(looks: Looks) -> Finding:
    """What follows where no engine answers: policylab starts one, or cannot."""
    if named := looks.variable("DOCKER_HOST"):
        return Finding(
            NAME,
            State.LACK,
            "the Docker engine does not answer",
            where=f"DOCKER_HOST={named}",
            seen="`docker version` got no answer from it",
            cure="start that engine, or unset DOCKER_HOST",
        )
    lack = rights(looks, "start a Docker engine", name=NAME, seen="no Docker engine answers")
    if lack is not None:
        return lack
    there = looks.which("dockerd") is not None and looks.which("docker") is not None
    return Finding(
        NAME,
        State.NOTE,
        "no Docker engine answers",
        where="docker version",
        cure="`policylab cluster up` starts it"
        if there
        else f"`policylab cluster up` installs it from Debian {SUITE} and starts it",
    )


def _sys_resource(looks: Looks) -> bool:
    """Whether a container can get the capability; where nothing says so, it can."""
    found = re.search(r"(?m)^CapBnd:\s*([0-9a-f]+)$", looks.text("/proc/self/status") or "")
    return found is None or bool(int(found[1], 16) >> SYS_RESOURCE & 1)


def elsewhere(looks: Looks, docker: Docker) -> bool:
    """Whether the engine that answers runs on another machine, or in a virtual one."""
    theirs = docker.kernel()
    return bool(theirs) and theirs != (looks.text(RELEASE) or "").strip()
