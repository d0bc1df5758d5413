"""Names outside that lead where nobody was led before: what one submission taught does not count.

Cilium remembers which addresses a name led to, for all pods and longer than they live. The next
submission would be let out before it asked. So before each submission that lets names pass, each
name moves to an address that Cilium does not know.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from harness.core.outcome import Outcome
from harness.core.target import Lookup, PodRef
from harness.core.target.ask import Ask
from harness.core.target.internet import SPARES
from harness.edge.api.kube import Kube
from harness.edge.cni.value import NameMemory
from harness.edge.internet.controls import Outside
from harness.edge.internet.state import Internet
from harness.edge.machine.wait import NotYet
from harness.edge.probe.observe import Reader

TTL = 6
"""Seconds for which an answer may be kept: longer than the round of probes that follows a lookup,
and so short that the next submission finds the next address soon."""
LOOKS = 3
"""Lookups by all pods, one after the other, that must lead to the new address: each name server
has a cache of its own, and a lookup goes to any of them."""


class FreshNames:
    """Moves names of the simulated internet, and moves them back at the end."""

    def __init__(
        self, internet: Internet, controls: Outside, memory: NameMemory, kube: Kube
    ) -> None:
        self._internet, self._controls = internet, controls
        self._memory, self._kube = memory, kube
        self._at = dict(internet.names)

    def shorten(self, names: Collection[str]) -> None:
        """Let answers about these names be kept for a short time only.

        Raises:
            EnvironmentFault: the simulated internet does not take the change.
        """
        for name in sorted(names):
            self._controls.set(name, ttl=TTL)

    def move(
        self, names: Collection[str], observer: Reader, pods: Sequence[PodRef]
    ) -> dict[str, str]:
        """Move each name whose address is known, and wait until the pods are led to the new one.

        There must be no policy. The value has the new addresses, as they really are.

        Raises:
            ClusterNotReady: Cilium does not forget, or a name still leads to the old address.
            EnvironmentFault: the simulated internet does not take the change.
            ProbeError: an agent or a prober does not answer.
        """
        moved = self._kube.wait(
            "there are addresses that Cilium does not know",
            lambda: self._unknown(names),
            seconds=self._kube.patience.forgotten,
            every=1.0,
        )
        if not moved:
            return {}
        for name, spare in moved.items():
            self._controls.set(name, address=spare, ttl=TTL)
        led = {name: self._internet.addresses[spare] for name, spare in moved.items()}
        self._at |= led
        asks = {
            Ask(pod, Lookup(name)): frozenset(self._internet.both(address))
            for name, address in led.items()
            for pod in pods
        }
        self._kube.wait(
            f"{', '.join(led)} lead to new addresses",
            lambda: _led(asks, observer),
            seconds=self._kube.patience.cached,
        )
        return led

    def forget(self, names: Collection[str]) -> None:
        """Tell Cilium to forget where the names led, so that there are addresses for later.

        Raises:
            ProbeError: an agent does not answer.
        """
        for name in sorted(names):
            self._memory.forget(name)

    def close(self) -> None:
        """Move all names back."""
        self._controls.__exit__(None, None, None)

    def _unknown(self, names: Collection[str]) -> dict[str, str]:
        """An address that is not known for each name that leads to a known one."""
        known = self._memory.known()
        both, addresses = self._internet.both, self._internet.addresses
        led = [name for name in sorted(names) if not known.isdisjoint(both(self._at[name]))]
        free = [spare for spare in SPARES if known.isdisjoint(both(addresses[spare]))]
        if len(free) < len(led):
            self.forget(led)
            raise NotYet(f"it knows all but {len(free)} of {len(SPARES)}")
        return dict(zip(led, free, strict=False))


def _led(asks: dict[Ask, frozenset[str]], observer: Reader) -> None:
    for _ in range(LOOKS):
        for ask, seen in observer.read(asks).items():
            reading = seen.unwrap().reading
            resolved = reading.outcome is Outcome.RESOLVED
            if not resolved or not asks[ask].issuperset(reading.detail.split(", ")):
                raise NotYet(f"{ask}: {reading}")
