"""The controls of what is outside of a fake cluster."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Self, Unpack

from harness.edge.internet.controls import Change

if TYPE_CHECKING:
    from tests.fakes.cluster import FakeCluster


class FakeControls:
    """Changes names outside; the cluster's name server knows after their time to live."""

    def __init__(self, cluster: FakeCluster) -> None:
        self._cluster = cluster
        self._before = cluster.sites[-1][1]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._cluster.change_sites(self._before, after=0.0)

    def set(self, name: str, **change: Unpack[Change]) -> None:
        sites = self._cluster.sites[-1][1]
        if "address" in change:
            change["address"] = self._cluster.internet.addresses[change["address"]]
        site = replace(sites[name], **change)
        self._cluster.change_sites({**sites, name: site}, after=float(site.ttl))
