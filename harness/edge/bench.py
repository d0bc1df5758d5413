"""The instruments that the measurements of `harness.edge.facts` share."""

from __future__ import annotations

from dataclasses import dataclass

from harness.edge.cni import DropCounter
from harness.edge.internetstate import Internet
from harness.edge.kube import Kube
from harness.edge.observe import Observer
from harness.edge.prober import Prober
from harness.edge.replay import Replayer
from harness.edge.stage import Stage


@dataclass(frozen=True, slots=True)
class Bench:
    """The instruments that a fact may use."""

    kube: Kube
    prober: Prober
    stage: Stage
    replayer: Replayer
    internet: Internet | None = None
    drops: DropCounter | None = None

    @property
    def observer(self) -> Observer:
        """The stage's observer."""
        return self.stage.observer
