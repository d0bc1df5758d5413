"""Many pods on few cores: an agent in each pod, against an agent on each node, in one run."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from benchmarks.figures import Figure, rounds
from benchmarks.pods import PORTS, denied, pods, targets_of
from harness.core.model import Pod
from harness.core.outcome import Verdict
from harness.edge.api.client import KubeClient
from harness.edge.api.kube import Kube
from harness.edge.cluster.opening import Cluster
from harness.edge.probe.addresses import PodAddresses
from harness.edge.probe.nodes.agents import Agents
from harness.edge.probe.nodes.prober import NodeProber
from harness.edge.probe.observe import Observer
from harness.edge.probe.streams import StreamProber

TARGET = 30.0
"""Seconds for all verdicts of a matrix."""
REPEAT = 2


def crowd(cluster: Cluster, count: int) -> Iterator[Figure]:
    """Start, allowed and denied matrices, and memory, for a half of the pods and for all.

    The second half shows whether the cost is linear: twice the pods are four times the flows.
    """
    kube = KubeClient(cluster.kubeconfig, cluster.context)
    image = cluster.toolbox
    place = (cluster.kubectl, cluster.kubeconfig, cluster.context)
    with pods(kube, count, image) as ends:
        for size in (count // 2, count):
            prober = NodeProber(kube, *place, agents=Agents(kube, image))
            yield from _figures("an agent a node", prober, kube, ends[:size], cluster.name)
        for size in (count // 2, count):
            pod_prober = StreamProber(*place)
            yield from _figures("an agent a pod", pod_prober, kube, ends[:size], cluster.name)


def _figures(
    words: str, prober: StreamProber | NodeProber, kube: Kube, ends: Sequence[Pod], name: str
) -> Iterator[Figure]:
    with prober:
        observer = Observer(prober, PodAddresses(ends))
        before = time.perf_counter()
        observer.listen(targets_of(ends, PORTS[:1]))
        taken = time.perf_counter() - before
        yield Figure(f"{words}: {len(ends)} pods listen", (taken,), counts=memory(name))
        allowed = rounds(prober, observer, ends, 1, Verdict.ALLOW, target=TARGET, repeat=REPEAT)
        yield replace(allowed, name=f"{words}: {allowed.name}")
        with denied(kube, observer, ends):
            shut = rounds(prober, observer, ends, 1, Verdict.DENY, target=TARGET, repeat=REPEAT)
        yield replace(shut, name=f"{words}: {shut.name}", counts={**shut.counts, **memory(name)})


def memory(cluster: str) -> dict[str, int]:
    """MiB of this process, of its kubectl, and of the agents in the cluster's pods and nodes.

    Each page counts once. Processes in nodes are processes of this machine, too.
    """
    sums = {"own_mib": _mib(Path("/proc/self")), "kubectl_mib": 0.0, "agents_mib": 0.0}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and folder.name != str(os.getpid()):
            with suppress(OSError):
                words = (folder / "cmdline").read_bytes().split(b"\0")
                if b"-ISu" not in words:
                    continue
                kind = "kubectl_mib" if b"exec" in words else "agents_mib"
                if _is_ours(folder, cluster, kubectl=kind == "kubectl_mib"):
                    sums[kind] += _mib(folder)
    return {name: round(found) for name, found in sums.items()}


def _is_ours(process: Path, cluster: str, *, kubectl: bool) -> bool:
    """Whether we started this kubectl, or this agent runs in the cluster for us."""
    if kubectl:
        parent = (process / "stat").read_text(encoding="ascii").rpartition(")")[2].split()[1]
        return parent == str(os.getpid())
    environment = (process / "environ").read_bytes().split(b"\0")
    names = (f"HOSTNAME={name}".encode() for name in ("bench-", f"{cluster}-"))
    return any(each.startswith(name) for name in names for each in environment)


def _mib(process: Path) -> float:
    lines = (process / "smaps_rollup").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:"))
