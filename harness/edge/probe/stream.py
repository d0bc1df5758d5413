"""The open `kubectl exec` of one pod: lines out, lines in, and the last words when it breaks."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from harness.core.target import PodRef
from harness.edge.machine.patience import Patience
from harness.errors import ProbeError

CONTAINER = "policylab-probe"
CHUNK = 1 << 20
"""Bytes to take at once."""


class Stream:
    """The open exec stream of one pod; `process` was started with pipes."""

    def __init__(self, pod: PodRef, process: subprocess.Popen[bytes], patience: Patience) -> None:
        self._patience = patience
        if process.stdin is None or process.stdout is None:
            raise ValueError("a stream needs a process with pipes")
        self.pod = pod
        self.process = process
        self.stdin = process.stdin
        self.stdout = process.stdout
        self._buffer = b""
        self._stderr = b""

    def send(self, message: Mapping[str, Any]) -> None:
        """Write one line.

        Raises:
            ProbeError: the stream is gone.
        """
        try:
            self.stdin.write(json.dumps(message).encode() + b"\n")
            self.stdin.flush()
        except OSError as error:
            raise self.broken(f"the stream is closed ({error})") from error

    def read(self) -> dict[str, Any] | None:
        """Take what has arrived; returns a line once it is whole, as an object.

        Raises:
            ProbeError: the stream ended, or the line is not a JSON object.
        """
        data = os.read(self.stdout.fileno(), CHUNK)
        if not data:
            raise self.broken("the stream ended")
        head, newline, rest = (self._buffer + data).partition(b"\n")
        if not newline:
            self._buffer = head
            return None
        self._buffer = rest
        try:
            message = json.loads(head)
        except ValueError as error:
            raise self.broken(f"a line is not valid JSON: {head[:200]!r}") from error
        if not isinstance(message, dict):
            raise self.broken(f"a line is not a JSON object: {head[:200]!r}")
        return message

    def broken(self, seen: str) -> ProbeError:
        """The error for this stream, with the last words of kubectl."""
        self.close()
        words = self._stderr.decode(errors="replace").strip().splitlines()
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
            _, err = self.process.communicate(timeout=self._patience.prober_end)
            self._stderr += err or b""
