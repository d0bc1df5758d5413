"""The real probers: one stream per source pod, one line per round.

The stream is a `kubectl exec` of `harness.edge.probe.agent` in an ephemeral container of the pod,
so the source's address and labels are the pod's own and the workload's image needs no tool. Exec
goes through the API server and the kubelet, which no policy under test can cut.

A late, missing or malformed line is a ProbeError. It is never read as "blocked".
"""

from __future__ import annotations

import os
import selectors
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

from harness.core.probe.attempts import DEADLINE, Attempt, Item
from harness.core.target import PodRef
from harness.edge.api.kubectl import kubectl_base
from harness.edge.api.livenames import LiveNames
from harness.edge.machine.process import CommandFailed, start
from harness.edge.probe import agent
from harness.edge.probe.prober import Hello
from harness.edge.probe.stream import CONTAINER, Stream
from harness.edge.probe.wire import Listener, Round, heard_of, item_json, refusals_of, round_of
from harness.errors import ProbeError

START_SECONDS, START_EACH_SECONDS = 15.0, 0.25
GRACE_SECONDS = 10.0
"""After a round's deadline, for its line: a machine under load may keep kubectl or the agent."""
LOOKUP_SECONDS = 60.0
STARVED_SECONDS = 20.0
"""For so long rounds that a starved prober measured are made again before there is no verdict."""


class StreamProber:
    """Rounds of probes over `kubectl exec`. Use as a context manager.

    `patience` is for how many seconds rounds of a starved prober are made again. `voided` counts
    the rounds of single pods that were void so far.
    """

    def __init__(
        self,
        kubectl: Path,
        kubeconfig: Path,
        context: str = "",
        *,
        patience: float = STARVED_SECONDS,
    ) -> None:
        self._base = kubectl_base(kubectl, kubeconfig, context)
        self._patience = patience
        self.names = LiveNames()
        self._streams: dict[PodRef, Stream] = {}
        self._round = 0
        self.voided = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End all streams."""
        for stream in self._streams.values():
            stream.close()
        self._streams.clear()

    def forget(self, pods: Iterable[PodRef]) -> None:
        """End the streams of pods that are about to go."""
        for pod in pods:
            if stream := self._streams.pop(pod, None):
                stream.close()

    def hello(self, pod: PodRef) -> Hello:
        """What the prober in that pod says of its surroundings.

        Raises:
            ProbeError: the prober does not start.
        """
        failures = self._open([pod])
        if pod in failures:
            raise failures[pod]
        hello = self._streams[pod].hello
        assert hello is not None  # noqa: S101 - _open keeps only streams that said hello
        return hello

    def round(
        self, items: Mapping[PodRef, Sequence[Item]], *, deadline: float = DEADLINE
    ) -> dict[PodRef, dict[str, list[Attempt]] | ProbeError]:
        """Probe all items from all pods at once; see `Prober.round`."""
        answers: dict[PodRef, dict[str, list[Attempt]] | ProbeError] = {}
        left = {pod: list(batch) for pod, batch in items.items() if batch}
        end = time.monotonic() + self._patience
        while left:
            starved: dict[PodRef, str] = {}
            for pod, answer in self._once(left, deadline).items():
                if isinstance(answer, ProbeError):
                    answers[pod] = answer
                elif answer.starved:
                    starved[pod] = answer.starved
                else:
                    answers[pod] = answer.attempts
            self.voided += len(starved)
            if starved and time.monotonic() >= end:
                return answers | {pod: self._starved(pod, why) for pod, why in starved.items()}
            left = {pod: left[pod] for pod in starved}
        return answers

    def _starved(self, pod: PodRef, why: str) -> ProbeError:
        return ProbeError(
            f"the prober in {pod} was starved in every round, for {self._patience:g} s",
            where=str(pod),
            seen=why,
            try_="give the machine less other work",
        )

    def listen(
        self, doors: Mapping[PodRef, Sequence[Listener]]
    ) -> dict[PodRef, dict[Listener, str] | ProbeError]:
        """Let the probers answer on these ports, and on no others, as long as their streams live.

        A door of a pod maps to the error number's name for which it stays shut, or to nothing: then
        it answers a greeting (`harness.core.probe.greeting`) with the pod's name and the nonce.
        """
        requests = {
            pod: {"listen": [asdict(door) for door in wanted], "name": str(pod)}
            for pod, wanted in doors.items()
        }
        return {
            pod: refusals_of(answer, doors[pod], pod)
            for pod, answer in self._ask(requests, GRACE_SECONDS).items()
        }

    def heard(self, pods: Iterable[PodRef]) -> dict[PodRef, dict[str, float] | ProbeError]:
        """The nonces that the pods' listeners received since the last call.

        Each maps to how many ms the datagram lay in the kernel before the listener took it.
        """
        answers = self._ask({pod: {"heard": True} for pod in pods}, GRACE_SECONDS)
        return {pod: heard_of(answer, pod) for pod, answer in answers.items()}

    def time_lookups(
        self, pod: PodRef, names: Sequence[str], *, repeat: int
    ) -> dict[str, list[float]]:
        """Time the C library's lookups of each name, in ms, the names in turn.

        Raises:
            ProbeError: a lookup failed, or the prober gave no answer within `LOOKUP_SECONDS`.
        """
        request = {"time": list(names), "repeat": repeat}
        answer = self._ask({pod: request}, LOOKUP_SECONDS)[pod]
        if isinstance(answer, ProbeError):
            raise answer
        if "error" in answer:
            raise ProbeError("a timed lookup failed", where=str(pod), seen=str(answer["error"]))
        return {str(name): [float(ms) for ms in taken] for name, taken in answer["ms"].items()}

    def _once(
        self, items: Mapping[PodRef, Sequence[Item]], deadline: float
    ) -> dict[PodRef, Round | ProbeError]:
        requests = {
            pod: {"deadline": deadline, "items": [item_json(item) for item in batch]}
            for pod, batch in items.items()
        }
        return {
            pod: round_of(answer, items[pod], pod)
            for pod, answer in self._ask(requests, deadline + GRACE_SECONDS).items()
        }

    def _ask(
        self, requests: Mapping[PodRef, Mapping[str, Any]], seconds: float
    ) -> dict[PodRef, dict[str, Any] | ProbeError]:
        """Send each pod its request, all before the first answer is awaited, and collect."""
        answers: dict[PodRef, dict[str, Any] | ProbeError] = {}
        answers.update(self._open(requests))
        self._round += 1
        sent: dict[PodRef, Stream] = {}
        for pod, request in requests.items():
            if pod in answers:
                continue
            try:
                self._streams[pod].send({"round": self._round, **request})
                sent[pod] = self._streams[pod]
            except ProbeError as error:
                answers[pod] = error
        answers.update(self._collect(sent, seconds))
        self._drop_dead()
        return answers

    def _open(self, pods: Iterable[PodRef]) -> dict[PodRef, ProbeError]:
        self._drop_dead()
        starting: dict[PodRef, Stream] = {}
        failures: dict[PodRef, ProbeError] = {}
        for pod in pods:
            if pod in self._streams:
                continue
            try:
                starting[pod] = self._streams[pod] = Stream(pod, self._start(pod))
            except CommandFailed as error:
                failures[pod] = ProbeError(error.what, where=f"for {pod}", seen=error.seen)
        patience = START_SECONDS + START_EACH_SECONDS * len(starting)
        for pod, answer in self._collect(starting, patience, hello=True).items():
            if isinstance(answer, ProbeError):
                failures[pod] = answer
                self._streams.pop(pod, None)
            else:
                starting[pod].hello = Hello(str(answer["hostname"]), str(answer["resolv_conf"]))
        return failures

    def _start(self, pod: PodRef) -> subprocess.Popen[bytes]:
        command = [*self._base, "exec", "-i", f"--namespace={pod.namespace}", self.names.of(pod)]
        command += [f"--container={CONTAINER}", "--", *agent.command()]
        # In a group of its own, for Ctrl-C is for us: kubectl must live on until we have closed the
        # streams in order.
        pipe = subprocess.PIPE
        return start(command, stdin=pipe, stdout=pipe, stderr=pipe)

    def _collect(
        self, streams: Mapping[PodRef, Stream], seconds: float, *, hello: bool = False
    ) -> dict[PodRef, dict[str, Any] | ProbeError]:
        """One line from each stream, or its error, within `seconds`."""
        answers: dict[PodRef, dict[str, Any] | ProbeError] = {}
        end = time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            for pod, stream in streams.items():
                assert stream.process.stdout is not None  # noqa: S101 - opened with a pipe
                selector.register(stream.process.stdout, selectors.EVENT_READ, pod)
            while len(answers) < len(streams) and (left := end - time.monotonic()) > 0:
                for key, _ in selector.select(left):
                    answer = self._read(streams[key.data], hello=hello)
                    if answer is not None:
                        answers[key.data] = answer
                        selector.unregister(key.fileobj)
        for pod, stream in streams.items():
            if pod not in answers:
                answers[pod] = stream.broken(f"no line within {seconds:g} s")
        return answers

    def _read(self, stream: Stream, *, hello: bool) -> dict[str, Any] | ProbeError | None:
        assert stream.process.stdout is not None  # noqa: S101 - opened with a pipe
        data = os.read(stream.process.stdout.fileno(), 1 << 20)
        if not data:
            return stream.broken("the stream ended")
        stream.buffer += data
        try:
            message = stream.line()
        except ProbeError as error:
            return error
        if message is None:
            return None
        if hello and "hello" in message:
            return message
        if not hello and message.get("round") == self._round:
            return message
        return stream.broken(f"an unexpected line: {str(message)[:200]}")

    def _drop_dead(self) -> None:
        self.forget([pod for pod, s in self._streams.items() if s.process.poll() is not None])
