"""One tutorial's stage and its instruments on a fake cluster, without a gate and without rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from harness.core.lab.documented import Row, parse_table
from harness.core.manifests.library import Library
from harness.core.manifests.reader import parse
from harness.edge.cni.drops import DropCounter
from harness.edge.probe.programs.replay import Replayer
from harness.edge.stage.bench import Bench
from harness.edge.stage.stage import Stage
from tests.fakes.cluster import FakeCluster


@dataclass(frozen=True, slots=True)
class Lab:
    """A stage on a cluster in memory, and what facts are measured with."""

    cluster: FakeCluster
    stage: Stage
    bench: Bench

    def counted_by(self, drops: DropCounter | None) -> Bench:
        """The instruments with another account of what the CNI drops."""
        return replace(self.bench, drops=drops)


def library_of(manifests: Mapping[str, str]) -> Library:
    """Manifests by name, from their texts."""
    return {name: parse(text, origin=f"{name}.yaml") for name, text in manifests.items()}


def lab(manifests: Library, cluster: FakeCluster | None = None, *, policies: bool = True) -> Lab:
    """A stage for these manifests; without `policies` it leaves them out, as the self-test does."""
    cluster = cluster or FakeCluster()
    prober, programs, cni = cluster.prober(), cluster.programs(), cluster.cni
    stage = Stage(
        cluster,
        prober,
        manifests,
        images={},
        internet=cluster.internet,
        fence=lambda: cluster.clock.take(1.0),
        realised=cni.realised and cni.realised(cluster, programs),
        keep_policies=policies,
    )
    replayer = Replayer(programs, prober.names, cluster.patience)
    drops = cni.drops and cni.drops(cluster, programs)
    bench = Bench(cluster, prober, stage, replayer, cluster.internet, drops, cluster.controls)
    return Lab(cluster, stage, bench)


def row_of(target: str, *, source: str = "shop/web", apply: str = "base", says: str = "x") -> Row:
    """A row that asks for the target; `apply` are its manifests, with commas between them."""
    table = f"step a: {apply}\n\n| from | to | tutorial says | why |\n|-|-|-|-|\n"
    return parse_table(f"{table}| {source} | {target} | shows {says} | why |", source="t#1").rows[0]
