"""How much of a build is left, and roughly for how long.

A part takes as long as it took on this machine before; where it was never made here, as long as on
a virtual machine of two cores (`USUAL`). What the finished parts really took corrects the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from threading import Lock

from harness.edge.images.keys import Keys
from harness.edge.images.store import Store
from harness.edge.machine.clock import MACHINE_CLOCK, Clock

USUAL: Mapping[str, float] = {
    "commands-calico": 377,
    "commands-cilium": 400,
    "commands-coredns": 140,
    "commands-etcd": 22,
    "commands-kind": 4,
    "commands-kubernetes": 438,
    "commands-pause": 1,
    "root-cilium": 54,
    "root-debian": 24,
    "root-internet": 24,
    "root-nettools": 25,
    "root-nginx": 18,
    "root-node": 48,
    "root-redis": 16,
    "root-toolbox": 37,
}
"""Seconds: the mean of one or two cold builds on machines of two cores, downloads included.

Debian roots took that long before they began as the base; their seconds are multiplied by the part
of the CPU time that is left (docs/adr/0052)."""
UNKNOWN = 90.0
"""Seconds for a part of which nothing is known."""
ASSEMBLY = 52.0
"""Seconds until the images are written and imported, after all parts."""
SURE = 30.0
"""Seconds of finished parts before they correct the rest."""
CORRECTION = (0.25, 4.0)
"""Bounds of the correction: one part that had its downloads already says little of the others."""
MINUTE, BRIEF = 60, 45


class Outlook:
    """The parts that are still to be made, in lanes that run side by side."""

    def __init__(self, lanes: Sequence[Mapping[str, float]], clock: Clock = MACHINE_CLOCK) -> None:
        self._left = [dict(lane) for lane in lanes]
        self._clock = clock
        self._began: dict[str, float] = {}
        self._expected = self._took = 0.0
        self._lock = Lock()

    @property
    def parts(self) -> int:
        """The number of parts that are not finished."""
        return sum(map(len, self._left))

    def begin(self, name: str) -> None:
        """A part is being made."""
        with self._lock:
            self._began[name] = self._clock.monotonic()

    def end(self, name: str) -> str:
        """A part is finished; what is left, as a sentence. Empty if the part was there before."""
        with self._lock:
            for lane in self._left:
                if name in lane:
                    self._expected += lane.pop(name)
                    self._took += self._clock.monotonic() - self._began.get(name, 0.0)
                    return self._told()
        return ""

    def told(self) -> str:
        """What is left, as a sentence; empty if nothing is."""
        with self._lock:
            return self._told() if self.parts else ""

    def seconds(self) -> float:
        """How long the rest takes: the longest lane, and the assembly."""
        now, factor = self._clock.monotonic(), self._factor()
        lanes = (
            sum(
                max(seconds * factor - (now - self._began.get(name, now)), 0.0)
                for name, seconds in lane.items()
            )
            for lane in self._left
        )
        return max(lanes, default=0.0) + ASSEMBLY * factor

    def _factor(self) -> float:
        if self._expected < SURE:
            return 1.0
        least, most = CORRECTION
        return min(max(self._took / self._expected, least), most)

    def _told(self) -> str:
        parts = self.parts
        what = f"{parts} part{'s are' if parts != 1 else ' is'} still to be made"
        ready = f"the images are ready {about(self.seconds())}"
        return f"{what if parts else 'all parts are made'}; {ready}"


def outlook_of(store: Store, keys: Keys, clock: Clock = MACHINE_CLOCK) -> Outlook:
    """The outlook of a build: the parts that the store lacks."""
    commands = {f"commands-{name}": key for name, key in keys.commands.items()}
    roots = {f"root-{name}": key for name, key in keys.roots.items()}
    lanes = [
        {name: _expected(store, name) for name, key in lane.items() if not store.has(name, key)}
        for lane in (commands, roots)
    ]
    return Outlook(lanes, clock)


def _expected(store: Store, name: str) -> float:
    before = store.seconds_before(name)
    return USUAL.get(name, UNKNOWN) if before is None else before


def about(seconds: float) -> str:
    """A time that nobody knows exactly: `in less than a minute`, `in about 7 min`."""
    if seconds < BRIEF:
        return "in less than a minute"
    return f"in about {max(round(seconds / MINUTE), 1)} min"
