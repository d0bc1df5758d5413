"""The open `kubectl exec` of one pod: lines out, lines in, and the last words when it breaks."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from harness.core.target import PodRef
from harness.edge.probe.prober import Hello
from harness.errors import ProbeError

CONTAINER = "policylab-probe"
CLOSE_SECONDS = 3.0


@dataclass(slots=True)
class Stream:
    """The open exec stream of one pod."""

    pod: PodRef
    process: subprocess.Popen[bytes]
    buffer: bytes = b""
    hello: Hello | None = None
    stderr: bytes = field(default=b"")

    def send(self, message: Mapping[str, Any]) -> None:
        """Write one line; a stream that is gone is a ProbeError."""
        assert self.process.stdin is not None  # noqa: S101 - opened with a pipe below
        try:
            self.process.stdin.write(json.dumps(message).encode() + b"\n")
            self.process.stdin.flush()
        except OSError as error:
            raise self.broken(f"the stream is closed ({error})") from error

    def line(self) -> dict[str, Any] | None:
        """The next whole line that has arrived, if there is one."""
        head, newline, rest = self.buffer.partition(b"\n")
        if not newline:
            return None
        self.buffer = rest
        try:
            message = json.loads(head)
        except ValueError as error:
            raise self.broken(f"a line is no JSON: {head[:200]!r}") from error
        if not isinstance(message, dict):
            raise self.broken(f"a line is no object: {head[:200]!r}")
        return message

    def broken(self, seen: str) -> ProbeError:
        """The error for this stream, with the last words of kubectl."""
        self.close()
        words = self.stderr.decode(errors="replace").strip().splitlines()
        return ProbeError(
            f"the prober in {self.pod} gave no answer",
            where=f"kubectl exec in {self.pod}, container {CONTAINER}",
            seen="; ".join([seen, *words[-3:]]),
            try_=f"kubectl -n {self.pod.namespace} describe pod {self.pod.name}",
        )

    def close(self) -> None:
        """End kubectl; its agent ends at the end of its input."""
        if self.process.poll() is None:
            self.process.kill()
        with suppress(OSError, ValueError):
            _, err = self.process.communicate(timeout=CLOSE_SECONDS)
            self.stderr += err or b""
