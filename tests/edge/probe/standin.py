"""A script that stands in for kubectl, so that agents run on this machine, over loopback."""

from __future__ import annotations

import socket
import stat
import sys
from contextlib import closing
from pathlib import Path

HONEST = """
import os, sys
os.execvp(sys.executable, [sys.executable, *sys.argv[sys.argv.index("--") + 2:]])
"""
"""The body of a kubectl that runs the agent here."""


def kubectl(folder: Path, body: str = HONEST) -> Path:
    """An executable that is called as kubectl is."""
    path = folder / "kubectl"
    path.write_text(f"#!{sys.executable}\n{body}")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port of loopback that nobody has."""
    with closing(socket.socket(socket.AF_INET, kind)) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
