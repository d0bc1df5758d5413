"""Everything that this machine needs for the labs, and everything that it needs for one cluster."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from harness.core.target.family import Family
from harness.edge.cluster.kindconfig import SERVICE_CIDRS
from harness.edge.cluster.lane import Lane
from harness.edge.cni import POD_CIDRS
from harness.edge.images import Source
from harness.edge.images.pipeline import CLUSTER, disk_places
from harness.edge.images.recipe import read_recipes, recipes_home
from harness.edge.images.versions import KUBERNETES
from harness.edge.machine import apt
from harness.edge.machine.debian import CARRIED_GO
from harness.edge.machine.docker import Docker
from harness.edge.machine.health.engine import SUITE, elsewhere, engine
from harness.edge.machine.health.finding import Finding, State, require
from harness.edge.machine.health.kernel import kernel
from harness.edge.machine.health.looks import Looks
from harness.edge.machine.health.room import CLUSTER_GIB, disk, inotify, memory, networks, ports
from harness.edge.machine.health.tools import archive, builders, git, go, kubectl, python
from harness.edge.support import Support, support_of
from harness.errors import ImageUnavailable

NETWORKS = {
    POD_CIDRS[Family.IPV4]: "the network of pods",
    SERVICE_CIDRS[Family.IPV4]: "the network of Services",
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to run.

    Attributes:
        lanes: what the clusters are made with; all have one version of Kubernetes.
        images: where the images come from.
    """

    lanes: Collection[Lane]
    images: Source


def ensure_machine(looks: Looks, docker: Docker, lane: Lane) -> None:
    """Refuse to begin a cluster that cannot come up on this machine.

    Raises:
        EnvironmentFault: the machine lacks something; the message has all of it.
    """
    if not elsewhere(looks, docker):
        require(_cluster(looks, [lane]))


def examine(
    looks: Looks, docker: Docker, wish: Wish, cache: Path, today: date
) -> tuple[Finding, ...]:
    """All findings. `cache` is policylab's cache; `today` decides whose support has ended."""
    found = [engine(looks, docker)]
    if elsewhere(looks, docker):
        found.append(
            Finding(
                "engine's machine",
                State.UNKNOWN,
                "the engine runs on another machine, or in a virtual one, and nobody looked there",
                where="docker info",
                seen=f"its kernel is {docker.kernel()}",
                cure="run `policylab doctor` on that machine, or see what `cluster up` says",
            )
        )
    else:
        found += [*_cluster(looks, wish.lanes), inotify(looks), networks(looks, NETWORKS)]
    found += _images(looks, wish, cache)
    found += [python(looks), git(looks), *_versions(looks, wish, today)]
    return tuple(found)


def _cluster(looks: Looks, lanes: Collection[Lane]) -> list[Finding]:
    """What a cluster needs of the machine on which the engine runs."""
    needs: dict[str, tuple[str, ...]] = {}
    for lane in lanes:
        needs[lane.value.name] = lane.value.kernel
        if lane.kernel:
            needs[f"kube-proxy ({lane.proxy_mode})"] = lane.kernel
    six = any(Family.IPV6 in lane.families for lane in lanes)
    return [*kernel(looks, needs, six=six), memory(looks), ports(looks)]


def _images(looks: Looks, wish: Wish, cache: Path) -> list[Finding]:
    """What it takes to get the images: to build them, unless another source is named."""
    places = disk_places(cache)
    if wish.images in (Source.REGISTRY, Source.BUNDLE):
        return disk(looks, places, gib=CLUSTER_GIB)
    build = [
        builders(looks),
        archive(lambda: apt.sources_for(SUITE)),
        go(looks, cache / CARRIED_GO),
        *disk(looks, places),
    ]
    if wish.images is Source.BUILD:
        return build
    made = looks.names(str(cache / "artefacts"), f"{CLUSTER}-*") or looks.names(
        str(cache), "bundle*"
    )
    return [_if_built(each, made=bool(made)) for each in build]


def _if_built(finding: Finding, *, made: bool) -> Finding:
    """The finding where a build may not be needed: images are there, or a registry may answer."""
    if finding.state is not State.LACK:
        return finding
    if made:
        cure = f"images are there, so this matters only if their recipes change. {finding.cure}"
        return replace(finding, state=State.NOTE, cure=cure)
    cure = f"nothing is built if a registry answers, which was not asked. {finding.cure}"
    return replace(finding, state=State.UNKNOWN, cure=cure)


def _versions(looks: Looks, wish: Wish, today: date) -> list[Finding]:
    """The versions that a cluster gets: whether their makers still mend them."""
    chosen = {name: version for lane in wish.lanes for name, version in lane.versions.items()}
    cnis = [lane.value.name for lane in wish.lanes]
    try:
        recipes = read_recipes(recipes_home(), chosen)
    except ImageUnavailable as error:
        return [
            Finding(
                "versions",
                State.NOTE,
                error.what,
                where=error.where,
                seen=error.seen,
                cure=error.try_,
            )
        ]
    made = recipes[KUBERNETES].made
    return [
        kubectl(looks, made.takes_kubectl, made.full),
        *(_support(name, recipes[name].version, today) for name in (KUBERNETES, *cnis)),
    ]


def _support(program: str, version: str, today: date) -> Finding:
    name, support = f"support: {program}", support_of(program, version)
    if support is None:
        what = f"policylab does not know until when {program} {version} is supported"
        return Finding(name, State.NOTE, what, cure="see what its makers say")
    told = support.told(today).removesuffix(".")
    if not support.ended(today):
        return Finding(name, State.GOOD, told)
    return Finding(
        name,
        State.NOTE,
        told,
        seen=f"a cluster gets {version}",
        cure="the labs run, but no fault of it is mended any more. "
        f"{support.rule}{_newer(support)}",
    )


def _newer(support: Support) -> str:
    """Where a newer version is, if there is one that policylab cannot build."""
    if not support.newest:
        return ""
    return (
        f" The newest is {support.newest}: its packages cannot be had as a Go module, and its "
        "official images were not tried with policylab's manifests"
    )
