"""Changes addresses, TTLs and faults of the simulated internet while labs run, and undoes them.

A change is in force when the call returns. Only one run at a time may hold changes; another run
waits. If a killed run left changes, the next run undoes them before it begins.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol, Self, TypedDict, Unpack

from harness.edge.files.cache import cache_home
from harness.edge.internet.engine import Place
from harness.edge.internet.state import (
    Fault,
    Internet,
    Site,
    WebFault,
    digest,
    initial_sites,
    state_bytes,
)
from harness.edge.machine.filelock import FileLock
from harness.edge.machine.wait import NotYet, wait_for
from harness.errors import EnvironmentFault

CONTROL = "/usr/local/lib/policylab/control.py"


class Change(TypedDict, total=False):
    """The changeable parts of a name; see `Site`. `address` is an address that `world` names."""

    address: str
    ttl: int
    fault: Fault
    web: WebFault
    delay_ms: int


class Outside(Protocol):
    """Changes outside of the cluster; as a context manager it undoes all changes at its end.

    Each change is in force when its call returns, or the call raises `EnvironmentFault`.
    """

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def set(self, name: str, **change: Unpack[Change]) -> None:
        """Change one name; what is not said stays as it is."""
        ...


class Controls:
    """The controls of the simulated internet; as a context manager they undo all changes.

    Each call raises `EnvironmentFault` if the change does not come into force.
    """

    def __init__(self, internet: Internet, place: Place | None = None) -> None:
        self._internet = internet
        self._place = place or Place()
        self._lock = FileLock(cache_home() / f"{self._place.container}.changed")
        self._initial = initial_sites(internet.addresses)
        self._sites: Mapping[str, Site] = self._initial

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.reset()

    def set(self, name: str, **change: Unpack[Change]) -> None:
        """Change one name; parts that are not given stay as they are.

        Raises:
            EnvironmentFault: another run holds changes for too long, or this change does not come
                into force.
            KeyError: `world` does not have the name or the address.
        """
        if "address" in change:
            change["address"] = self._internet.addresses[change["address"]]
        site = replace(self._sites[name], **change)
        self._lock.take(
            "no other run has changed the simulated internet",
            seconds=self._place.patience.internet_changes,
        )
        self._put({**self._sites, name: site})

    def reset(self) -> None:
        """Restore the initial state of every name, and let another run change names."""
        if not self._lock.held:
            return  # nothing was changed
        try:
            self._put(self._initial)
        finally:
            self._lock.release()

    def reset_unless_held(self) -> bool:
        """Undo the changes of a killed run, and say so. A live run keeps its changes."""
        if not self._lock.try_take():
            return False
        try:
            self._put(self._initial)
        finally:
            self._lock.release()
        return True

    def _put(self, sites: Mapping[str, Site]) -> None:
        self._sites = sites
        state = state_bytes(self._internet.addresses, sites, self._internet.prefix)
        container = self._place.container
        try_ = f"read `docker logs {container}`; run again, which replaces a broken container"
        words = ["exec", "--interactive", container, "python3", CONTROL]
        what = "the simulated internet does not accept its new state"
        self._place.docker.demand(what, *words, input=state, try_=try_)
        wanted = digest(state)

        def check() -> None:
            found = self._place.state(self._internet.dns)
            if found != wanted:
                raise NotYet(f"state {found}, not {wanted}")

        wait_for(
            "the simulated internet has its new state in force",
            check,
            seconds=self._place.patience.internet_change,
            fault=EnvironmentFault,
            where=f"container {container}",
            try_=try_,
        )
