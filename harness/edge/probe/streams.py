"""The real probers: one stream per source pod, one line per round.

The stream is a `kubectl exec` of `harness.edge.probe.agent` in an ephemeral container of the pod,
so the source's address and labels are the pod's own and the workload's image needs no tool. Exec
goes through the API server and the kubelet, which no policy under test can cut.

A late, missing or malformed line is a ProbeError. It never counts as "blocked".
"""

from __future__ import annotations

import selectors
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, Self

from harness.core.observation import Answer
from harness.core.probe.attempts import DEADLINE, Attempts, Item
from harness.core.target import PodRef
from harness.edge.api.kubectl import kubectl_base
from harness.edge.api.livenames import LiveNames
from harness.edge.machine.patience import PATIENCE, Patience
from harness.edge.machine.process import CommandFailed, start
from harness.edge.probe import agent
from harness.edge.probe.stream import CONTAINER, Stream
from harness.edge.probe.wire import (
    Hello,
    Line,
    Listener,
    Round,
    heard_of,
    hello_of,
    item_json,
    refusals_of,
    round_of,
)
from harness.errors import ProbeError


class StreamProber:
    """Rounds of probes over `kubectl exec`. Use as a context manager.

    `voided` counts the rounds of single pods that were void so far.
    """

    def __init__(
        self,
        kubectl: Path,
        kubeconfig: Path,
        context: str = "",
        patience: Patience = PATIENCE,
    ) -> None:
        self._base = kubectl_base(kubectl, kubeconfig, context)
        self._patience = patience
        self.names = LiveNames()
        self._streams: dict[PodRef, Stream] = {}
        self._hellos: dict[PodRef, Hello] = {}
        self._listening: dict[PodRef, Mapping[str, Any]] = {}  # by what request each pod listens
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
            self._listening.pop(pod, None)
            self._close(pod)

    def _close(self, pod: PodRef) -> None:
        if stream := self._streams.pop(pod, None):
            stream.close()

    def hellos(self, pods: Iterable[PodRef]) -> dict[PodRef, Answer[Hello]]:
        """What the probers in these pods say of their surroundings; their streams open at once."""
        pods = tuple(pods)
        failures = self._open(pods)
        return {
            pod: Answer(problem=failures[pod]) if pod in failures else Answer(self._hellos[pod])
            for pod in pods
        }

    def round(
        self, items: Mapping[PodRef, Sequence[Item]], *, deadline: float = DEADLINE
    ) -> dict[PodRef, Answer[Attempts]]:
        """Probe all items from all pods at once; see `Prober.round`."""
        answers: dict[PodRef, Answer[Attempts]] = {}
        left = {pod: list(batch) for pod, batch in items.items() if batch}
        end = time.monotonic() + self._patience.starved
        while left:
            rounds = self._once(left, deadline)
            answers |= {
                pod: made.then(lambda sound: sound.attempts) for pod, made in rounds.items()
            }
            starved = {
                pod: made.value.starved
                for pod, made in rounds.items()
                if made.value and made.value.starved
            }
            self.voided += len(starved)
            if starved and time.monotonic() >= end:
                return answers | {p: self._starved(p, why) for p, why in starved.items()}
            left = {pod: left[pod] for pod in starved}
        return answers

    def _starved(self, pod: PodRef, why: str) -> Answer[Attempts]:
        error = ProbeError(
            f"the prober in {pod} was starved in every round, for {self._patience.starved:g} s",
            where=str(pod),
            seen=why,
            try_="give the machine less other work",
        )
        return Answer(problem=error)

    def listen(
        self, doors: Mapping[PodRef, Sequence[Listener]]
    ) -> dict[PodRef, Answer[Mapping[Listener, str]]]:
        """Let the probers answer on these ports, and on no others, as long as their streams live.

        A door of a pod maps to the error number's name for which it stays shut, or to nothing: then
        it answers a greeting (`harness.core.probe.greeting`) with the pod's name and the nonce.
        """
        requests = {
            pod: {"listen": [asdict(door) for door in wanted], "name": str(pod)}
            for pod, wanted in doors.items()
        }
        lines = self._ask(requests, self._patience.round_line)
        self._listening.update(requests)  # a reopened stream listens on these ports again
        return {
            pod: answer.then(partial(refusals_of, doors=doors[pod], pod=pod))
            for pod, answer in lines.items()
        }

    def heard(self, pods: Iterable[PodRef]) -> dict[PodRef, Answer[Mapping[str, float]]]:
        """The nonces that the pods' listeners received since the last call.

        Each maps to how many ms the datagram lay in the kernel before the listener took it.
        """
        lines = self._ask({pod: {"heard": True} for pod in pods}, self._patience.round_line)
        return {pod: answer.then(partial(heard_of, pod=pod)) for pod, answer in lines.items()}

    def time_lookups(
        self, pod: PodRef, names: Sequence[str], *, repeat: int
    ) -> dict[str, list[float]]:
        """Time the C library's lookups of each name, in ms, the names in turn.

        Raises:
            ProbeError: a lookup failed, or the prober gave no answer in time.
        """
        request = {"time": list(names), "repeat": repeat}
        answer = self._ask({pod: request}, self._patience.lookup)[pod].unwrap()
        if "error" in answer:
            raise ProbeError("a timed lookup failed", where=str(pod), seen=str(answer["error"]))
        return {str(name): [float(ms) for ms in taken] for name, taken in answer["ms"].items()}

    def _once(
        self, items: Mapping[PodRef, Sequence[Item]], deadline: float
    ) -> dict[PodRef, Answer[Round]]:
        requests = {
            pod: {"deadline": deadline, "items": [item_json(item) for item in batch]}
            for pod, batch in items.items()
        }
        lines = self._ask(requests, deadline + self._patience.round_line)
        return {
            pod: answer.then(partial(round_of, items=items[pod], pod=pod))
            for pod, answer in lines.items()
        }

    def _ask(
        self, requests: Mapping[PodRef, Mapping[str, Any]], seconds: float
    ) -> dict[PodRef, Answer[Line]]:
        """Send each pod its request, all before the first answer is awaited, and collect."""
        failures = self._open(requests)
        answers: dict[PodRef, Answer[Line]] = {p: Answer(problem=e) for p, e in failures.items()}
        answers |= self._exchange({p: r for p, r in requests.items() if p not in failures}, seconds)
        self._drop_dead()
        return answers

    def _exchange(
        self, requests: Mapping[PodRef, Mapping[str, Any]], seconds: float
    ) -> dict[PodRef, Answer[Line]]:
        """Send each open stream its request, and collect the answers."""
        self._round += 1
        lines = {
            pod: Answer.of(partial(self._streams[pod].send, {"round": self._round, **request}))
            for pod, request in requests.items()
        }
        failed: dict[PodRef, Answer[Line]] = {
            pod: Answer(problem=line.problem) for pod, line in lines.items() if line.problem
        }
        sent = {pod: self._streams[pod] for pod in requests if pod not in failed}
        return failed | self._collect(sent, seconds, self._is_of_this_round)

    def _is_of_this_round(self, line: Line) -> bool:
        return bool(line.get("round") == self._round)

    def _open(self, pods: Iterable[PodRef]) -> dict[PodRef, ProbeError]:
        """Open the streams that are not open yet; returns why a stream could not be opened."""
        self._drop_dead()
        starting: dict[PodRef, Stream] = {}
        failures: dict[PodRef, ProbeError] = {}
        for pod in pods:
            if pod in self._streams:
                continue
            try:
                starting[pod] = self._streams[pod] = Stream(pod, self._start(pod), self._patience)
            except CommandFailed as error:
                failures[pod] = ProbeError(error.what, where=f"for {pod}", seen=error.seen)
        more = self._patience.prober_start_each * len(starting)
        patience = self._patience.prober_start + more
        for pod, line in self._collect(starting, patience, lambda line: "hello" in line).items():
            hello = line.then(partial(hello_of, pod=pod))
            if hello.value:
                self._hellos[pod] = hello.value
            if hello.problem:
                failures[pod] = hello.problem
                self._close(pod)
        again = {p: self._listening[p] for p in starting if p in self._listening}
        if again := {pod: request for pod, request in again.items() if pod not in failures}:
            lines = self._exchange(again, patience)
            failures |= {pod: line.problem for pod, line in lines.items() if line.problem}
        return failures

    def _start(self, pod: PodRef) -> subprocess.Popen[bytes]:
        command = [*self._base, "exec", "-i", f"--namespace={pod.namespace}", self.names.of(pod)]
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

    def _drop_dead(self) -> None:
        for pod in [pod for pod, s in self._streams.items() if s.process.poll() is not None]:
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
