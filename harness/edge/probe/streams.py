"""The real probers inside of pods: one stream per source pod, one line per round.

The stream is a `kubectl exec` of `harness.edge.probe.agent` in an ephemeral container of the pod,
so the source's address and labels are the pod's own and the workload's image needs no tool. Exec
goes through the API server and the kubelet, which no policy under test can cut.

A late, missing or malformed line is a ProbeError. It never counts as "blocked".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
from harness.edge.probe.prober import Sound
from harness.edge.probe.stream import Lines
from harness.edge.probe.wire import (
    Hello,
    Listener,
    Round,
    heard_of,
    item_json,
    refusals_of,
    round_of,
)
from harness.errors import ProbeError


class StreamProber:
    """Rounds of probes over `kubectl exec`. Use as a context manager."""

    def __init__(
        self,
        kubectl: Path,
        kubeconfig: Path,
        context: str = "",
        patience: Patience = PATIENCE,
    ) -> None:
        self._patience = patience
        self.names = LiveNames()
        self._lines = Lines(kubectl_base(kubectl, kubeconfig, context), self.names, patience)
        self._sound = Sound(patience)

    @property
    def voided(self) -> int:
        """How many rounds of single pods were void so far."""
        return self._sound.voided

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End all streams."""
        self._lines.close()

    def forget(self, pods: Iterable[PodRef]) -> None:
        """End the streams of pods that are about to go."""
        self._lines.forget(pods)

    def hellos(self, pods: Iterable[PodRef]) -> dict[PodRef, Answer[Hello]]:
        """What the probers in these pods say of their surroundings; their streams open at once."""
        pods = tuple(pods)
        failures = self._lines.open(pods)
        return {
            pod: Answer(problem=failures[pod])
            if pod in failures
            else Answer(self._lines.hellos[pod])
            for pod in pods
        }

    def round(
        self, items: Mapping[PodRef, Sequence[Item]], *, deadline: float = DEADLINE
    ) -> dict[PodRef, Answer[Attempts]]:
        """Probe all items from all pods at once; see `Prober.round`."""
        return self._sound.rounds(self._once, items, deadline)

    def listen(
        self, doors: Mapping[PodRef, Sequence[Listener]]
    ) -> dict[PodRef, Answer[Mapping[Listener, str]]]:
        """Let the probers answer on these ports; see `Prober.listen`."""
        requests = {
            pod: {"listen": [asdict(door) for door in wanted], "name": str(pod)}
            for pod, wanted in doors.items()
        }
        lines = self._lines.ask(requests, self._patience.round_line)
        self._lines.again.update(requests)  # a reopened stream listens on these ports again
        return {
            pod: answer.then(partial(refusals_of, doors=doors[pod], pod=pod))
            for pod, answer in lines.items()
        }

    def heard(self, pods: Iterable[PodRef]) -> dict[PodRef, Answer[Mapping[str, float]]]:
        """The nonces that the pods' listeners received since the last call.

        Each maps to how many ms the datagram lay in the kernel before the listener took it.
        """
        lines = self._lines.ask({pod: {"heard": True} for pod in pods}, self._patience.round_line)
        return {pod: answer.then(partial(heard_of, pod=pod)) for pod, answer in lines.items()}

    def time_lookups(
        self, pod: PodRef, names: Sequence[str], *, repeat: int
    ) -> dict[str, list[float]]:
        """Time the C library's lookups of each name, in ms, the names in turn.

        Raises:
            ProbeError: a lookup failed, or the prober gave no answer in time.
        """
        request = {"time": list(names), "repeat": repeat}
        answer = self._lines.ask({pod: request}, self._patience.lookup)[pod].unwrap()
        if "error" in answer:
            raise ProbeError("a timed lookup failed", where=str(pod), seen=str(answer["error"]))
        return {str(name): [float(ms) for ms in taken] for name, taken in answer["ms"].items()}

    def _once(
        self, items: Mapping[PodRef, Sequence[Item]], deadline: float
    ) -> dict[PodRef, Answer[Round]]:
        requests: dict[PodRef, dict[str, Any]] = {
            pod: {"deadline": deadline, "items": [item_json(item) for item in batch]}
            for pod, batch in items.items()
        }
        lines = self._lines.ask(requests, deadline + self._patience.round_line)
        return {
            pod: answer.then(partial(round_of, items=items[pod], pod=pod))
            for pod, answer in lines.items()
        }
