"""Many pods on few cores: an agent in each pod, against an agent on each node, in one run."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from benchmarks.figures import Figure, rounds
from benchmarks.pods import PORTS, denied, pods, targets_of
from harness.core.outcome import Verdict
from harness.edge.api.client import KubeClient
from harness.edge.cluster.opening import Cluster
from harness.edge.probe.addresses import PodAddresses
from harness.edge.probe.beside import equip, prober_lacks
from harness.edge.probe.nodes.prober import NodeProber
from harness.edge.probe.observe import Observer
from harness.edge.probe.pods import TOOLBOX
from harness.edge.probe.streams import StreamProber

TARGET = 30.0
"""Seconds for all verdicts of a matrix."""
REPEAT = 2


def crowd(cluster: Cluster, count: int) -> Iterator[Figure]:
    """Start, allowed and denied matrices, and memory, for a half of the pods and for all.

    The second half shows whether the cost is linear: twice the pods are four times the flows.
    """
    kube = KubeClient(cluster.kubeconfig, cluster.context)
    image = cluster.refs.get("toolbox", TOOLBOX)
    place = (cluster.kubectl, cluster.kubeconfig, cluster.context)
    with pods(kube, count, image) as ends:
        equip(kube, [end.ref for end in ends], image, lacks=prober_lacks, try_="")
        for size in (count // 2, count):
            some = ends[:size]
            for words, prober in (
                ("an agent a pod", StreamProber(*place)),
                ("an agent a node", NodeProber(kube, *place, image=image)),
            ):
                with prober:
                    observer = Observer(prober, PodAddresses(some))
                    before = time.perf_counter()
                    observer.listen(targets_of(some, PORTS[:1]))
                    taken = time.perf_counter() - before
                    yield Figure(f"{words}: {size} pods listen", (taken,), counts=memory())
                    allowed = rounds(
                        prober,
                        observer,
                        some,
                        1,
                        Verdict.ALLOW,
                        target=TARGET,
                        repeat=REPEAT,
                    )
                    yield replace(allowed, name=f"{words}: {allowed.name}")
                    with denied(kube, observer, some):
                        shut = rounds(
                            prober, observer, some, 1, Verdict.DENY, target=TARGET, repeat=REPEAT
                        )
                    counts = {**shut.counts, **memory()}
                    yield replace(shut, name=f"{words}: {shut.name}", counts=counts)


def memory() -> dict[str, int]:
    """MiB of this process, of all kubectl of streams, and of all agents (each page counted once).

    Processes in nodes are processes of this machine, too.
    """
    sums = {"own_mib": _mib(Path("/proc/self")), "kubectl_mib": 0.0, "agents_mib": 0.0}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and folder.name != str(os.getpid()):
            with suppress(OSError):
                words = (folder / "cmdline").read_bytes().split(b"\0")
                if b"-ISu" not in words:
                    continue
                kind = "kubectl_mib" if b"exec" in words else "agents_mib"
                sums[kind] += _mib(folder)
    return {name: round(found) for name, found in sums.items()}


def _mib(process: Path) -> float:
    lines = (process / "smaps_rollup").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:"))
