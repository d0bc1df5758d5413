"""A pod's /etc/resolv.conf, read as resolv.conf(5) says."""

from __future__ import annotations

from dataclasses import dataclass

from harness.errors import ProbeError


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
        """The option as written (`ndots:5`), or an empty text."""
        return next((o for o in self.options if o.partition(":")[0] == name), "")

    @property
    def ndots(self) -> int:
        """How many dots make a name absolute at the first try; 1 where nothing is said."""
        return int(self.option("ndots").partition(":")[2] or 1)
