"""The tutorials of a run, each with its stage, made when its first row comes."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from harness.core.documented import Row
from harness.core.library import Library, namespaces_of
from harness.edge.bench import Bench
from harness.edge.cluster import Cluster
from harness.edge.gate import Gate
from harness.edge.kube import Kube
from harness.edge.play import Play
from harness.edge.prober import Prober
from harness.edge.replay import Replayer
from harness.edge.stage import Stage


@dataclass(frozen=True, slots=True)
class Live:
    """A live cluster with its instruments, once the gate has passed."""

    cluster: Cluster
    kube: Kube
    prober: Prober
    gate: Gate


@dataclass(slots=True)
class Plays:
    """Plays by tutorial, from the manifests and rows that the collection found."""

    live: Live
    libraries: dict[str, Library]
    rows: dict[str, list[Row]]
    with_policies: bool = True
    _plays: dict[str, Play] = field(default_factory=dict)
    _stages: dict[str, Stage] = field(default_factory=dict)

    def __getitem__(self, tutorial: str) -> Play:
        if tutorial not in self._plays:
            self._plays[tutorial] = self._play(tutorial)
        return self._plays[tutorial]

    def _play(self, tutorial: str) -> Play:
        cluster, kube, prober = self.live.cluster, self.live.kube, self.live.prober
        library = self.libraries[tutorial]
        stage = Stage(
            kube,
            prober,
            library,
            images=cluster.refs,
            internet=cluster.internet.names if cluster.internet else None,
            fence=self.live.gate.fence,
            keep_policies=self.with_policies,
        )
        stage.clear(namespaces_of(library))
        self._stages[tutorial] = stage
        replayer = Replayer(
            cluster.kubectl, cluster.kubeconfig, cluster.context, names=prober.names
        )
        bench = Bench(kube, prober, stage, replayer, cluster.internet)
        return Play(stage, replayer, bench, self.rows[tutorial])

    @property
    def changes(self) -> list[dict[str, Any]]:
        """Every change of policies so far, with its tutorial, in the order of the run."""
        return [
            {"tutorial": tutorial, **asdict(change)}
            for tutorial, stage in self._stages.items()
            for change in stage.changes
        ]

    def close(self) -> None:
        """Remove the namespaces of all tutorials."""
        for stage in self._stages.values():
            stage.close()
