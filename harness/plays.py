"""The tutorials of a run, each with its stage and prober; up to four tutorials run in parallel.

A tutorial mostly waits: for silence, for pods, for a command's own timeout. Each tutorial has its
own namespaces, so one tutorial can wait while another works.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass, field
from threading import Event
from typing import Any

from harness.core.lab.documented import Row
from harness.core.manifests.library import Library, namespaces_of
from harness.core.model import CILIUM_POLICY
from harness.edge.api.kube import Kube
from harness.edge.api.namespaces import clear
from harness.edge.cluster.opening import Cluster
from harness.edge.internet.state import Internet
from harness.edge.play import Play
from harness.edge.probe.doors import ClusterDoors, Doors
from harness.edge.probe.prober import Prober
from harness.edge.probe.programs.replay import Replayer
from harness.edge.stage.bench import Bench
from harness.edge.stage.gate import Gate, GateReport
from harness.edge.stage.stage import Stage
from harness.progress import Progress


@dataclass(frozen=True, slots=True)
class Live:
    """A live cluster with its instruments.

    `proof` is the gate's report, as soon as the cluster has passed the gate. Until then, tutorials
    may bring the cluster to their first states, but nothing that was observed may be shown.
    """

    cluster: Cluster
    doors: Doors
    kube: Kube
    prober: Prober
    gate: Gate
    proof: Future[GateReport]


def doors_of(cluster: Cluster) -> Doors:
    """The doors to a real cluster."""
    return ClusterDoors(cluster.kubectl, cluster.kubeconfig, cluster.context, cluster.patience)


@contextmanager
def opened(
    cluster: Cluster,
    progress: Progress,
    *,
    internet: Internet | None,
    doors: Doors | None = None,
    user: str = "",
    leaves: bool = True,
) -> Iterator[Live]:
    """The instruments, while the cluster still has to pass the gate (see `Live.proof`).

    On a cluster that policylab made, the canaries stay for the next run, unless `leaves` is false.
    `user` names the worker, because workers that run at the same time have separate canaries.
    """
    doors = doors or doors_of(cluster)
    with closing(doors.prober()) as prober, ThreadPoolExecutor(1, "gate") as thread:
        kube = doors.kube()
        gate = Gate(
            kube,
            prober,
            images=cluster.refs,
            internet=internet,
            user=user,
            families=cluster.families,
        )

        def prove() -> GateReport:
            with progress.step("gate: does this cluster enforce policy?"):
                return gate.prove()

        try:
            yield Live(cluster, doors, kube, prober, gate, thread.submit(prove))
        finally:
            thread.shutdown()
            if not cluster.owned or not leaves:
                gate.close()


@contextmanager
def proven(
    cluster: Cluster,
    progress: Progress,
    *,
    internet: Internet | None,
    doors: Doors | None = None,
    user: str = "",
    leaves: bool = True,
) -> Iterator[Live]:
    """The instruments of a cluster that passed the gate (see `opened`).

    Raises:
        ClusterNotReady: the cluster did not pass the gate: it enforces no policy.
        ProbeError: its probes failed.
    """
    with opened(
        cluster, progress, internet=internet, doors=doors, user=user, leaves=leaves
    ) as live:
        live.proof.result()
        yield live


@dataclass(slots=True)
class Plays:
    """The plays by tutorial, made from the manifests and rows that the collection found."""

    live: Live
    libraries: dict[str, Library]
    rows: dict[str, list[Row]]
    with_policies: bool = True
    _plays: dict[str, Play] = field(default_factory=dict)
    _stages: dict[str, Stage] = field(default_factory=dict)
    _stop: Event = field(default_factory=Event)
    _ends: ExitStack = field(default_factory=ExitStack)
    _lanes: ThreadPoolExecutor | None = None

    def start(self) -> None:
        """Begin all tutorials in the order of their rows, before a test asks for them.

        Raises:
            ContentError: a namespace of a tutorial exists, and policylab did not make it.
        """
        self._begin(self.rows)

    def __getitem__(self, tutorial: str) -> Play:
        """The play of the tutorial; it begins now if it has not begun.

        Raises:
            ContentError: a namespace of the tutorial exists, and policylab did not make it.
        """
        if tutorial not in self._plays:
            self._begin([tutorial])
        return self._plays[tutorial]

    def _begin(self, tutorials: Iterable[str]) -> None:
        plays = {tutorial: self._play(tutorial) for tutorial in tutorials}
        self._plays |= plays
        if self._lanes is None:
            lanes = self.live.cluster.lane.value.lanes
            pool = ThreadPoolExecutor(lanes, thread_name_prefix="tutorial")
            self._lanes = self._ends.enter_context(pool)
        for play in plays.values():
            self._lanes.submit(play.run, self._stop)

    def _play(self, tutorial: str) -> Play:
        cluster, kube = self.live.cluster, self.live.kube
        cni = cluster.lane.value
        library = self.libraries[tutorial]
        doors = self.live.doors
        prober = self._ends.enter_context(closing(doors.prober()))
        programs = doors.programs()
        stage = Stage(
            kube,
            prober,
            library,
            images=cluster.refs,
            internet=cluster.internet,
            fence=self.live.gate.fence,
            realised=cni.realised and cni.realised(kube, programs),
            keep_policies=self.with_policies,
            families=cluster.families,
        )
        if self._keeps(library):
            stage.take_over(cni.profile.kinds)
        else:
            clear(kube, namespaces_of(library))
        self._stages[tutorial] = stage
        replayer = Replayer(programs, prober.names, cluster.patience)
        drops = cni.drops and cni.drops(kube, programs)
        bench = Bench(kube, prober, stage, replayer, cluster.internet, drops, doors.controls)
        return Play(stage, replayer, bench, self.rows[tutorial])

    def _keeps(self, library: Library) -> bool:
        """Whether the workloads of a tutorial stay for the next run: on a cluster of ours they do.

        Pods under policies by name do not: Cilium keeps for each pod which names it asked for, and
        a pod that remembers the last run would be let out before it asked.
        """
        kinds = {r.kind for resources in library.values() for r in resources}
        return self.live.cluster.owned and CILIUM_POLICY not in kinds

    @property
    def changes(self) -> list[dict[str, Any]]:
        """Every change of policies so far, with its tutorial, in the order of the run."""
        return [
            {"tutorial": tutorial, **asdict(change)}
            for tutorial, stage in self._stages.items()
            for change in stage.changes
        ]

    def close(self) -> None:
        """Wait for the running steps; then remove what they made, or leave it to the next run."""
        self._stop.set()
        self._ends.close()
        for tutorial, stage in self._stages.items():
            if self._keeps(self.libraries[tutorial]):
                stage.leave()
            else:
                stage.close()
