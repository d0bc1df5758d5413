"""A pod's /etc/resolv.conf, read as resolv.conf(5) says."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from harness.errors import ProbeError

MAX_NDOTS = 15
"""glibc takes a larger value of ndots for this (resolv.h, RES_MAXNDOTS)."""


@dataclass(frozen=True, slots=True)
class ResolvConf:
    """Name servers in order, the search list in order, and the options as written."""

    nameservers: tuple[str, ...]
    search: tuple[str, ...]
    options: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> ResolvConf:
        """Read the file's text; the last `search` line wins.

        Raises:
            ProbeError: it names no name server, so nobody can be asked.
        """
        servers: list[str] = []
        search: tuple[str, ...] = ()
        options: list[str] = []
        for line in text.splitlines():
            match line.split():
                case ["nameserver", address, *_]:
                    servers.append(address)
                case ["search", *names]:
                    search = tuple(names)
                case ["options", *found]:
                    options += found
        if not servers:
            raise ProbeError(
                "the pod's resolv.conf names no server", where="/etc/resolv.conf", seen=text
            )
        return cls(tuple(servers), search, tuple(options))

    def option(self, name: str) -> str:
        """The option as written (`ndots:5`), or an empty text; the last of two wins."""
        found = (o for o in reversed(self.options) if o.partition(":")[0] == name)
        return next(found, "")

    @property
    def ndots(self) -> int:
        """How many dots make a name absolute at the first try, read as glibc reads it.

        1 where nothing is said, and at most 15. What does not begin with a number counts as 0, and
        of a negative number four bits are kept (resolv/res_init.c: atoi, into a field of 4 bits).
        """
        word, colon, value = self.option("ndots").partition(":")
        if not (word and colon):
            return 1
        found = re.match(r"[+-]?[0-9]{1,9}", value)
        number = int(found[0]) if found else 0
        return min(number, MAX_NDOTS) if number >= 0 else number & MAX_NDOTS


def last_of_each(options: Iterable[str]) -> tuple[str, ...]:
    """Of several options with one name the last, at the place of the first."""
    found = {option.partition(":")[0]: option for option in options}
    return tuple(found.values())
