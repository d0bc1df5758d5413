"""Whether this user may install packages on this machine, and whether it is a Debian one."""

from __future__ import annotations

from harness.edge.machine.health.finding import Finding, State
from harness.edge.machine.health.looks import Looks

DEBIAN = "/etc/debian_version"


def rights(looks: Looks, what: str, *, name: str, seen: str = "") -> Finding | None:
    """What keeps policylab from doing `what`, which root can do on Debian; None if nothing does.

    `seen` says why it must be done.
    """
    if looks.user() != 0:
        return Finding(
            name,
            State.LACK,
            f"only root can {what}",
            where=f"user id {looks.user()}",
            seen=", and ".join(filter(None, ("not root", seen))),
            cure="run as root, or start a Docker engine that this user may use",
        )
    if not looks.there(DEBIAN) or looks.which("apt-get") is None:
        return Finding(
            name,
            State.LACK,
            f"policylab can {what} on Debian only",
            where=DEBIAN,
            seen="not a Debian machine",
            cure="start a Docker engine yourself and use --lab-images=registry or a bundle",
        )
    return None
