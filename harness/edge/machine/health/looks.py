"""How checks look at this machine. A test has a machine of its own."""

from __future__ import annotations

import os
import shutil
import sys
import zlib
from pathlib import Path
from typing import Protocol

from harness.edge.machine.patience import PATIENCE, Patience
from harness.edge.machine.process import run
from harness.errors import EnvironmentFault

PIECE = 1 << 16
MOST_BYTES = 16 << 20
"""The longest file that is read; a list of all modules of a kernel has about 1 MB."""


class Looks(Protocol):
    """Reads this machine, and changes nothing."""

    def text(self, path: str) -> str | None:
        """The content of a file, unpacked if its name ends in .gz; None if it cannot be read."""
        ...

    def there(self, path: str) -> bool:
        """Whether there is a file or a folder."""
        ...

    def names(self, folder: str, pattern: str) -> list[str]:
        """The names in a folder that fit a pattern such as `*.a`; empty if there is none."""
        ...

    def which(self, program: str) -> str | None:
        """The path of a program on PATH; None if it is not there."""
        ...

    def said(self, *argv: str) -> str | None:
        """What a program prints; None if it is missing, fails or does not end in time."""
        ...

    def free(self, place: Path) -> int:
        """The free bytes of the disk that has this folder, which need not exist yet."""
        ...

    def user(self) -> int:
        """The id of the user; 0 is root."""
        ...

    def variable(self, name: str) -> str:
        """An environment variable; empty if it is not set."""
        ...

    def python(self) -> tuple[int, int]:
        """The version of Python that runs policylab."""
        ...


class ThisMachine:
    """The real machine."""

    def __init__(self, patience: Patience = PATIENCE) -> None:
        self._patience = patience

    def text(self, path: str) -> str | None:
        """Read a file to its end, or to a bound that no such file reaches."""
        try:
            with Path(path).open("rb", buffering=0) as opened:
                data = b""
                # Some files of /proc refuse to be read in one piece of some MB.
                while (part := opened.read(PIECE)) and len(data) < MOST_BYTES:
                    data += part
            if path.endswith(".gz"):
                data = zlib.decompressobj(wbits=31).decompress(data, MOST_BYTES)
        except (OSError, zlib.error):
            return None
        return data.decode("utf-8", "replace")

    def there(self, path: str) -> bool:
        """Ask the file system."""
        return Path(path).exists()

    def names(self, folder: str, pattern: str) -> list[str]:
        """List the folder."""
        return sorted(path.name for path in Path(folder).glob(pattern))

    def which(self, program: str) -> str | None:
        """Look through PATH."""
        return shutil.which(program)

    def said(self, *argv: str) -> str | None:
        """Run the program, without what would make Go fetch another Go."""
        env = {"GOTOOLCHAIN": "local"}
        try:
            done = run(argv, timeout=self._patience.tool_answer, check=False, env=env)
        except EnvironmentFault:
            return None
        return done.stdout if done.returncode == 0 else None

    def free(self, place: Path) -> int:
        """Ask the disk of the folder, or of the nearest folder above it that exists."""
        there = next(path for path in (place, *place.parents) if path.exists())
        return shutil.disk_usage(there).free

    def user(self) -> int:
        """The effective user."""
        return os.geteuid()

    def variable(self, name: str) -> str:
        """Read the environment."""
        return os.environ.get(name, "")

    def python(self) -> tuple[int, int]:
        """This interpreter."""
        return sys.version_info[:2]


THIS = ThisMachine()
"""The machine that policylab runs on."""
