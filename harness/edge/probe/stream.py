"""The open `kubectl exec` of agents: lines out, lines in, and the last words when one breaks."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from harness.core.observation import Answer
from harness.core.probe.container import CONTAINER
from harness.core.target import PodRef
from harness.edge.api.livenames import LiveNames
from harness.edge.machine.patience import Patience
from harness.edge.machine.process import CommandFailed, start
from harness.edge.probe import agent
from harness.edge.probe.wire import Hello, Line, hello_of
from harness.errors import ProbeError

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


class Lines:
    """Requests to the agents in some pods, a line each, and the line that each answers.

    `base` are the words of kubectl that lead to the cluster. Streams open when they are needed, and
    open again after they broke. `again` has the request that an agent gets whenever its stream has
    opened: it says on which ports to listen.
    """

    def __init__(self, base: Iterable[str], names: LiveNames, patience: Patience) -> None:
        self._base = tuple(base)
        self._names = names
        self._patience = patience
        self.streams: dict[PodRef, Stream] = {}
        self.hellos: dict[PodRef, Hello] = {}
        self.again: dict[PodRef, Mapping[str, Any]] = {}
        self._round = 0

    def close(self) -> None:
        """End all streams."""
        for stream in self.streams.values():
            stream.close()
        self.streams.clear()

    def forget(self, pods: Iterable[PodRef]) -> None:
        """End the streams of pods that are about to go."""
        for pod in pods:
            self.again.pop(pod, None)
            self._close(pod)

    def _close(self, pod: PodRef) -> None:
        if stream := self.streams.pop(pod, None):
            stream.close()

    def ask(
        self, requests: Mapping[PodRef, Mapping[str, Any]], seconds: float
    ) -> dict[PodRef, Answer[Line]]:
        """Send each agent its request, all before the first answer is awaited, and collect."""
        failures = self.open(requests)
        answers: dict[PodRef, Answer[Line]] = {p: Answer(problem=e) for p, e in failures.items()}
        answers |= self._exchange({p: r for p, r in requests.items() if p not in failures}, seconds)
        self.drop_dead()
        return answers

    def open(self, pods: Iterable[PodRef]) -> dict[PodRef, ProbeError]:
        """Open the streams that are not open yet; returns why a stream could not be opened."""
        self.drop_dead()
        starting: dict[PodRef, Stream] = {}
        failures: dict[PodRef, ProbeError] = {}
        for pod in pods:
            if pod in self.streams:
                continue
            try:
                starting[pod] = self.streams[pod] = Stream(pod, self._start(pod), self._patience)
            except CommandFailed as error:
                failures[pod] = ProbeError(error.what, where=f"for {pod}", seen=error.seen)
        more = self._patience.prober_start_each * len(starting)
        patience = self._patience.prober_start + more
        for pod, line in self._collect(starting, patience, lambda line: "hello" in line).items():
            hello = line.then(partial(hello_of, pod=pod))
            if hello.value:
                self.hellos[pod] = hello.value
            if hello.problem:
                failures[pod] = hello.problem
                self._close(pod)
        again = {p: self.again[p] for p in starting if p in self.again}
        if again := {pod: request for pod, request in again.items() if pod not in failures}:
            lines = self._exchange(again, patience)
            failures |= {pod: line.problem for pod, line in lines.items() if line.problem}
        return failures

    def _exchange(
        self, requests: Mapping[PodRef, Mapping[str, Any]], seconds: float
    ) -> dict[PodRef, Answer[Line]]:
        """Send each open stream its request, and collect the answers."""
        self._round += 1
        lines = {
            pod: Answer.of(partial(self.streams[pod].send, {"round": self._round, **request}))
            for pod, request in requests.items()
        }
        failed: dict[PodRef, Answer[Line]] = {
            pod: Answer(problem=line.problem) for pod, line in lines.items() if line.problem
        }
        sent = {pod: self.streams[pod] for pod in requests if pod not in failed}
        return failed | self._collect(sent, seconds, self._is_of_this_round)

    def _is_of_this_round(self, line: Line) -> bool:
        return bool(line.get("round") == self._round)

    def _start(self, pod: PodRef) -> subprocess.Popen[bytes]:
        command = [*self._base, "exec", "-i", f"--namespace={pod.namespace}", self._names.of(pod)]
        command += [f"--container={CONTAINER}", "--", *agent.command()]
        # kubectl runs in a process group of its own: Ctrl-C must not end it before the streams are
        # closed in order.
        pipe = subprocess.PIPE
        return start(command, stdin=pipe, stdout=pipe, stderr=pipe)

    def _collect(
        self, streams: Mapping[PodRef, Stream], seconds: float, is_due: Callable[[Line], bool]
    ) -> dict[PodRef, Answer[Line]]:
        """The line that is due from each stream, within `seconds`."""
        answers: dict[PodRef, Answer[Line]] = {}
        end = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            for pod, stream in streams.items():
                selector.register(stream.stdout, selectors.EVENT_READ, pod)
            while len(answers) < len(streams) and (left := end - time.monotonic()) > 0:
                for key, _ in selector.select(left):
                    if answer := _read(streams[key.data], is_due):
                        answers[key.data] = answer
                        selector.unregister(key.fileobj)
        for pod, stream in streams.items():
            if pod not in answers:
                answers[pod] = Answer(problem=stream.broken(f"no line within {seconds:g} s"))
        return answers

    def drop_dead(self) -> None:
        """Drop the streams that have ended."""
        for pod in [pod for pod, s in self.streams.items() if s.process.poll() is not None]:
            self._close(pod)


def _read(stream: Stream, is_due: Callable[[Line], bool]) -> Answer[Line] | None:
    """The line that is due from a stream; None while it is not whole."""
    try:
        line = stream.read()
        if line is None:
            return None
        if not is_due(line):
            raise stream.broken(f"an unexpected line: {str(line)[:200]}")
    except ProbeError as error:
        return Answer(problem=error)
    return Answer(line)
