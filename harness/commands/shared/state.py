"""The state that a verb judges: manifests, or the objects of a cluster."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.commands.shared.folder import scenario_of
from harness.core.compare.world import State
from harness.core.manifests.basis import Basis
from harness.core.manifests.reader import Resource, topology_of
from harness.core.predict.scenario import Scenario
from harness.errors import ContentError
from harness.progress import Progress

if TYPE_CHECKING:
    from harness.edge.api.kube import Kube

CONTEXT_HELP = (
    "judge the objects of this cluster instead of files: a kubectl context, or the name of a "
    "cluster of policylab; no packet is sent"
)


@dataclass(frozen=True, slots=True)
class Given:
    """A state, its objects, in words where these came from, and what answers about it rest on."""

    state: State
    resources: tuple[Resource, ...]
    origin: str
    basis: Basis


def given(
    manifests: Path | None, context: str, arguments: argparse.Namespace, progress: Progress
) -> Given:
    """The state of a folder or of a cluster; `arguments` has what `add_manifests` adds.

    Raises:
        ContentError: neither or both are named, or the folder has nothing to read.
        ManifestError: a file cannot be read.
        ClusterNotReady: the cluster does not answer.
    """
    scenario = scenario_given(manifests, context, arguments, progress)
    resources = tuple(scenario.audit.resources)
    declared = topology_of(resources).pods
    assumed = frozenset(scenario.topology.pods.keys() - declared.keys())
    state = State(scenario.topology, tuple(scenario.policies), assumed)
    origin = f"the objects of the cluster {context}" if context else f"the manifests in {manifests}"
    return Given(state, resources, origin, scenario.basis)


def scenario_given(
    manifests: Path | None, context: str, arguments: argparse.Namespace, progress: Progress
) -> Scenario:
    """The same, as the oracle asks it for flows and names.

    Raises:
        ContentError: neither or both are named, or the folder has nothing to read.
        ManifestError: a file, or an object of the cluster, cannot be read.
        ClusterNotReady: the cluster does not answer.
    """
    if bool(context) is (manifests is not None):
        raise ContentError(
            "one of --manifests and --context says what is judged",
            seen="both" if context else "neither",
            try_="--manifests DIR, or --context NAME",
        )
    if manifests is not None:
        return scenario_of(manifests, arguments)
    return Scenario(resources_of(context, arguments, progress))


def resources_of(
    context: str, arguments: argparse.Namespace, progress: Progress
) -> tuple[Resource, ...]:
    """The objects of a cluster, as if they were manifests.

    Raises:
        ManifestError: an object says something that policylab does not know.
        ClusterNotReady: the cluster does not answer.
    """
    # Files are judged without the client of the API, which takes a second to import.
    from harness.edge.api.livestate import live_resources

    return live_resources(kube_of(context, arguments, progress), f"cluster {context}")


def kube_of(context: str, arguments: argparse.Namespace, progress: Progress) -> Kube:
    """The API of a cluster: a kubectl context, or the name of a cluster of policylab.

    Raises:
        ClusterNotReady: the cluster does not answer.
    """
    # Files are judged without all of this, which takes longer to import than a small matrix.
    from harness.commands.shared.access import access_of
    from harness.edge.cluster.state import ClusterMode, ClusterSpec
    from harness.edge.cluster.tools import tools_with
    from harness.edge.machine.patience import PATIENCE

    access = access_of(arguments)
    if context in access.owned():
        cluster = access.running(context)
    else:
        spec = ClusterSpec(mode=ClusterMode.EXTERNAL, context=context)
        cluster = access.open(spec, progress, tools_with(PATIENCE))
    return access.doors(cluster).kube()
