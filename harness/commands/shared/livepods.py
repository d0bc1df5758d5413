"""The part that `probe` and `watch` share: a running cluster whose pods each have a prober."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial

from harness.commands.shared.access import Access, access_of
from harness.commands.shared.options import add_lane, add_patience, lane_of
from harness.core.model import ContainerPort, NetworkPolicy, Pod, Protocol
from harness.core.target import PodPort, PodRef, ports_of
from harness.edge.cluster.opening import Cluster, ClusterMode, ClusterSpec
from harness.edge.cluster.tools import tools_with
from harness.edge.probe.addresses import PodAddresses
from harness.edge.probe.discovery import Found, discover, equip_found, policies_in
from harness.edge.probe.observe import Observer
from harness.errors import ContentError
from harness.listing import few
from harness.progress import Progress

STAYS = (
    "On policylab's cluster a prober runs on each node and enters the network namespaces of the "
    "pods; nothing is added to them. On your own cluster, and with --in-pods, a prober runs in an "
    "ephemeral container (policylab-probe) of every pod that takes part. "
    "Kubernetes cannot remove an ephemeral container: it stays there, idle, until its pod ends."
)
_PORT = re.compile(r"(\d{1,5})(?:/(tcp|udp))?\Z", re.IGNORECASE)
MAX_PORT = 65_535
PROBED = frozenset({Protocol.TCP, Protocol.UDP})


@dataclass(frozen=True, slots=True)
class LivePods:
    """Pods of a cluster, each with a prober, and the ports to probe.

    Attributes:
        found: the pods.
        targets: the ports to probe, of all pods.
        observer: the instrument that probes.
        policies: the policies that stand in the pods' namespaces; read when they are asked for.
        notes: what is not probed, one sentence each, with the reason.
    """

    found: Found
    targets: tuple[PodPort, ...]
    observer: Observer
    policies: Callable[[], tuple[NetworkPolicy, ...]]
    notes: tuple[str, ...]

    @property
    def sources(self) -> tuple[PodRef, ...]:
        """The pods that take part; each of them probes all targets."""
        return tuple(pod.ref for pod in self.found.pods)


def port_of(text: str) -> ContainerPort:
    """Read `80`, `80/tcp` or `53/udp`, for argparse."""
    match = _PORT.match(text)
    if match is None or not 0 < int(match[1]) <= MAX_PORT:
        raise argparse.ArgumentTypeError(f"{text}: write 80, 80/tcp or 53/udp")
    return ContainerPort(int(match[1]), Protocol((match[2] or "tcp").upper()))


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that name the cluster, the pods and the ports."""
    parser.add_argument(
        "namespaces", nargs="+", metavar="NAMESPACE", help="the namespaces whose pods take part"
    )
    parser.add_argument(
        "--selector",
        default="",
        metavar="LABELS",
        help="only pods with these labels, for example app=web,tier=front",
    )
    parser.add_argument(
        "--port",
        action="append",
        type=port_of,
        metavar="PORT[/udp]",
        help="probe this port of every pod, instead of the ports that its containers declare; the "
        "option may be repeated",
    )
    parser.add_argument(
        "--listen",
        action="store_true",
        help="let the prober of a pod answer on each probed port where nothing listens; UDP is "
        "then judged by the datagrams that arrived. While the command runs, a server that "
        "starts in the pod finds the port taken",
    )
    parser.add_argument(
        "--context",
        default="",
        metavar="NAME",
        help="use your own cluster; NAME is its kubectl context",
    )
    add_lane(parser, "use policylab's cluster")
    add_patience(parser)
    parser.add_argument(
        "--name",
        default="",
        help="use policylab's cluster with this name (default: the name that `cluster up` gives)",
    )
    parser.add_argument(
        "--image", default="", help="the image of the probers: any image that has python3"
    )
    parser.add_argument(
        "--in-pods",
        action="store_true",
        help="probe from inside of each pod on policylab's cluster as well, and not from its node",
    )
    parser.add_argument(
        "--yes",
        action="store_true",
        help="allow policylab to add ephemeral containers to the pods of your own cluster",
    )


@contextmanager
def live_pods(arguments: argparse.Namespace, progress: Progress) -> Iterator[LivePods]:
    """The pods that the arguments name, each with its prober; the block's end closes the streams.

    Raises:
        ContentError: policylab did not make the cluster, and `--yes` is missing.
        ClusterNotReady: the cluster or a prober does not run.
        ProbeError: there is nothing to probe.
    """
    access = access_of(arguments)
    cluster = _cluster(access, arguments, progress)
    doors = access.doors(cluster)
    kube = doors.kube()
    found = discover(kube, arguments.namespaces, selector=arguments.selector)
    toolbox = cluster.toolbox
    from_nodes = cluster.owned and not arguments.in_pods
    if found.without_prober and not from_nodes:
        allow(cluster, found.without_prober, allowed=arguments.yes, how="--yes")
        image = arguments.image or toolbox
        with progress.step(f"{len(found.without_prober)} probers"):
            equip_found(kube, found.without_prober, image)
    targets, notes = targets_of(found.pods, arguments.port)
    notes = [*(f"{name} {reason}" for name, reason in found.left_out.items()), *notes]
    with closing(doors.nodes(toolbox) if from_nodes else doors.prober()) as prober:
        observer = Observer(prober, PodAddresses(found.pods))
        if arguments.listen:
            refused = observer.listen(targets)
            notes += [f"{what}: the prober cannot listen on this port" for what in refused]
        kinds = cluster.lane.value.profile.kinds
        policies = partial(policies_in, kube, arguments.namespaces, kinds)
        yield LivePods(found, targets, observer, policies, tuple(notes))


def targets_of(
    pods: Sequence[Pod], ports: Sequence[ContainerPort] | None
) -> tuple[tuple[PodPort, ...], list[str]]:
    """The ports to probe (`ports` of every pod, or the declared ports), and notes on the others.

    Raises:
        ContentError: there is no port to probe.
    """
    found = [port for pod in pods for port in ports_of(pod, ports)]
    targets = tuple(port for port in found if port.protocol in PROBED)
    notes = [
        f"{port} is not probed, because this command probes TCP and UDP only"
        for port in found
        if port.protocol not in PROBED
    ]
    if not targets:
        raise ContentError(
            "no pod declares a port that can be probed",
            try_="name the ports: --port 80 --port 53/udp",
        )
    return targets, notes


def _cluster(access: Access, arguments: argparse.Namespace, progress: Progress) -> Cluster:
    if arguments.context:
        spec = ClusterSpec(mode=ClusterMode.EXTERNAL, context=arguments.context)
        return access.open(spec, progress, tools_with(arguments.patience))
    spec = ClusterSpec(lane_of(arguments))
    found = access.running(arguments.name or spec.cluster)
    return replace(found, patience=arguments.patience)


def allow(cluster: Cluster, pods: Sequence[Pod], *, allowed: bool, how: str) -> None:
    """Make sure that pods may get a prober; `how` is the option that allows it.

    Raises:
        ContentError: policylab did not make the cluster, and the user did not allow it.
    """
    if cluster.owned or allowed:
        return
    raise ContentError(
        f"{len(pods)} pods have no prober yet, and policylab did not make this cluster",
        where=f"context {cluster.context}",
        seen=few(pods, 5),
        try_=f"add {how}. {STAYS}",
    )
