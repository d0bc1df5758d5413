"""The probers, as the rest of policylab uses them: rounds of probes from real pods.

`harness.edge.probe.streams` is the real implementation, and the tests have one without a cluster;
mypy checks both against this interface.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from harness.core.observation import Answer
from harness.core.probe.attempts import DEADLINE, Attempts, Item, spaced
from harness.core.target import PodRef
from harness.edge.api.livenames import LiveNames
from harness.edge.machine.patience import Patience
from harness.edge.probe.wire import Hello, Listener, Round
from harness.errors import ProbeError

CROWD, SLOWER_SECONDS = 200, 0.5
"""A void round of so many probes is made again over so many seconds more, and then twice as many.

A round of fewer probes did not starve its prober itself.
"""


class Prober(Protocol):
    """Rounds of probes from any number of pods at once.

    A late, missing or malformed answer of a prober gives no verdict. It never counts as "blocked".
    """

    @property
    def names(self) -> LiveNames:
        """The live names of the pods; whoever starts pods writes them here."""
        ...

    def close(self) -> None:
        """End all probers."""
        ...

    def forget(self, pods: Iterable[PodRef]) -> None:
        """End the probers of pods that are about to go."""
        ...

    def hellos(self, pods: Iterable[PodRef]) -> Mapping[PodRef, Answer[Hello]]:
        """What the probers in these pods say of their surroundings; they start at once."""
        ...

    def round(
        self, items: Mapping[PodRef, Sequence[Item]], *, deadline: float = DEADLINE
    ) -> Mapping[PodRef, Answer[Attempts]]:
        """Probe all items from all pods at once, and return each item's attempts by its id.

        A pod whose prober gave no whole answer within `deadline` (seconds) and a grace has no
        verdict; the other pods' answers count. A round that a starved prober measured is void,
        and is made again until a sound round comes, for a limited time.
        """
        ...

    def listen(
        self, doors: Mapping[PodRef, Sequence[Listener]]
    ) -> Mapping[PodRef, Answer[Mapping[Listener, str]]]:
        """Let the probers answer on these ports, and on no others, as long as they live.

        A door of a pod maps to the error number's name for which it stays shut, or to nothing: then
        it answers a greeting (`harness.core.probe.greeting`) with the pod's name and the nonce.
        """
        ...

    def heard(self, pods: Iterable[PodRef]) -> Mapping[PodRef, Answer[Mapping[str, float]]]:
        """The nonces that the pods' listeners received since the last call.

        Each maps to how many ms the datagram lay in the kernel before the listener took it.
        """
        ...

    def time_lookups(
        self, pod: PodRef, names: Sequence[str], *, repeat: int
    ) -> dict[str, list[float]]:
        """Time the C library's lookups of each name, in ms, the names in turn.

        Raises:
            ProbeError: a lookup failed, or the prober gave no answer.
        """
        ...


class Sound:
    """Makes rounds until they are sound: a round that a starved prober measured is void.

    `voided` counts the rounds of single agents that were void so far.
    """

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self.voided = 0

    def rounds(
        self,
        once: Callable[[Mapping[PodRef, Sequence[Item]], float], Mapping[PodRef, Answer[Round]]],
        items: Mapping[PodRef, Sequence[Item]],
        deadline: float,
    ) -> dict[PodRef, Answer[Attempts]]:
        """The attempts of each agent's items; `once` makes one round of them.

        An agent whose rounds were all void for the patience's time has no verdict.
        """
        answers: dict[PodRef, Answer[Attempts]] = {}
        left = {pod: list(batch) for pod, batch in items.items() if batch}
        end, slower = time.monotonic() + self._patience.starved, 0.0
        while left:
            slowed = {pod: spaced(batch, slower) for pod, batch in left.items()}
            rounds = once(slowed, deadline + slower)
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
                return answers | {pod: self._starved(pod, why) for pod, why in starved.items()}
            left = {pod: left[pod] for pod in starved}
            if sum(map(len, left.values())) >= CROWD:
                slower = max(2 * slower, SLOWER_SECONDS)
        return answers

    def _starved(self, pod: PodRef, why: str) -> Answer[Attempts]:
        error = ProbeError(
            f"the prober in {pod} was starved in every round, for {self._patience.starved:g} s",
            where=str(pod),
            seen=why,
            try_="give the machine less other work",
        )
        return Answer(problem=error)
