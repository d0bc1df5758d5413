"""The instruments that the measurements of `harness.edge.facts.registry` share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from harness.edge.api.kube import Kube
from harness.edge.cni.drops import DropCounter
from harness.edge.internet.controls import Outside
from harness.edge.internet.state import Internet
from harness.edge.machine.patience import Patience
from harness.edge.probe.addresses import Addresses
from harness.edge.probe.observe import Observer
from harness.edge.probe.prober import Prober
from harness.edge.probe.programs.replay import Replayer
from harness.edge.stage.stage import Stage


@dataclass(frozen=True, slots=True)
class Bench:
    """The instruments that a fact may use."""

    kube: Kube
    prober: Prober
    stage: Stage
    replayer: Replayer
    internet: Internet | None = None
    drops: DropCounter | None = None
    controls: Callable[[Internet], Outside] | None = None

    @property
    def patience(self) -> Patience:
        """The deadlines of work on the cluster."""
        return self.kube.patience

    @property
    def observer(self) -> Observer:
        """The stage's observer."""
        return self.stage.observer

    @property
    def addresses(self) -> Addresses:
        """Where the stage's pods and Services are, and the names outside."""
        return self.stage.addresses
