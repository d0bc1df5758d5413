"""What `probe` and `watch` share: a running cluster, and its pods with a prober beside each."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace

from harness.commands.access import Access, access_of
from harness.commands.options import add_cni, add_patience
from harness.core.model import ContainerPort, Pod, Protocol
from harness.core.target import PodPort, PodRef, ports_of
from harness.edge.cluster.opening import Cluster, ClusterMode, ClusterSpec
from harness.edge.cluster.tools import tools_with
from harness.edge.probe.addresses import PodAddresses
from harness.edge.probe.discovery import Found, discover, equip
from harness.edge.probe.observe import Observer
from harness.edge.probe.pods import TOOLBOX
from harness.errors import ContentError
from harness.progress import Progress

STAYS = (
    "A prober runs in an ephemeral container (policylab-probe) of every pod that takes part. "
    "Kubernetes cannot remove an ephemeral container: it stays there, idle, until its pod ends."
)
_PORT = re.compile(r"(\d{1,5})(?:/(tcp|udp))?\Z", re.IGNORECASE)
MAX_PORT = 65_535
PROBED = frozenset({Protocol.TCP, Protocol.UDP})


@dataclass(frozen=True, slots=True)
class LivePods:
    """Pods of a cluster, ready to be probed from, and the ports that are asked for."""

    found: Found
    targets: tuple[PodPort, ...]
    observer: Observer
    notes: tuple[str, ...]

    @property
    def sources(self) -> tuple[PodRef, ...]:
        """The pods that take part, each of which asks all targets."""
        return tuple(pod.ref for pod in self.found.pods)


def port_of(text: str) -> ContainerPort:
    """`80`, `80/tcp` or `53/udp`; for argparse."""
    match = _PORT.match(text)
    if match is None or not 0 < int(match[1]) <= MAX_PORT:
        raise argparse.ArgumentTypeError(f"{text}: write 80, 80/tcp or 53/udp")
    return ContainerPort(int(match[1]), Protocol((match[2] or "tcp").upper()))


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options that say which pods, and which ports."""
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
        "--context", default="", metavar="NAME", help="a cluster of yours, by its kubectl context"
    )
    add_cni(parser, "the cluster of policylab with this CNI")
    add_patience(parser)
    parser.add_argument(
        "--name", default="", help="a cluster of policylab, by its name (default: policylab-CNI)"
    )
    parser.add_argument(
        "--image", default="", help="the image of the probers: any image that has python3"
    )
    parser.add_argument(
        "--yes", action="store_true", help="add ephemeral containers to the pods of your cluster"
    )


@contextmanager
def live_pods(arguments: argparse.Namespace, progress: Progress) -> Iterator[LivePods]:
    """The pods that the arguments name, each with its prober; their streams end with the block.

    Raises:
        ContentError: the cluster is not ours, and nobody said `--yes`.
        ClusterNotReady: the cluster, or a prober, does not run.
        ProbeError: there is nothing to probe.
    """
    access = access_of(arguments)
    cluster = _cluster(access, arguments, progress)
    doors = access.doors(cluster)
    kube = doors.kube()
    found = discover(kube, arguments.namespaces, selector=arguments.selector)
    if found.without_prober:
        _allow(cluster, found.without_prober, yes=arguments.yes)
        image = arguments.image or cluster.refs.get("toolbox", TOOLBOX)
        with progress.step(f"{len(found.without_prober)} probers"):
            equip(kube, found.without_prober, image)
    targets, notes = targets_of(found.pods, arguments.port)
    notes = [*(f"{name} {reason}" for name, reason in found.left_out.items()), *notes]
    with closing(doors.prober()) as prober:
        observer = Observer(prober, PodAddresses(found.pods))
        if arguments.listen:
            refused = observer.listen(targets)
            notes += [f"{what}: the prober does not listen there" for what in refused]
        yield LivePods(found, targets, observer, tuple(notes))


def targets_of(
    pods: Sequence[Pod], ports: Sequence[ContainerPort] | None
) -> tuple[tuple[PodPort, ...], list[str]]:
    """The ports to probe: these of every pod, or those that each declares; and what is left out.

    Raises:
        ContentError: there is none.
    """
    found = [port for pod in pods for port in ports_of(pod, ports)]
    targets = tuple(port for port in found if port.protocol in PROBED)
    notes = [f"{port} is not probed" for port in found if port.protocol not in PROBED]
    if not targets:
        raise ContentError(
            "no pod declares a port that can be probed", try_="name one: --port 80 --port 53/udp"
        )
    return targets, notes


def _cluster(access: Access, arguments: argparse.Namespace, progress: Progress) -> Cluster:
    if arguments.context:
        spec = ClusterSpec(mode=ClusterMode.EXTERNAL, context=arguments.context)
        return access.open(spec, progress, tools_with(arguments.patience))
    found = access.running(arguments.name or ClusterSpec(cni=arguments.cni).cluster)
    return replace(found, patience=arguments.patience)


def _allow(cluster: Cluster, pods: Sequence[Pod], *, yes: bool) -> None:
    if cluster.owned or yes:
        return
    names = ", ".join(map(str, pods[:5])) + (" and more" if len(pods) > 5 else "")  # noqa: PLR2004
    raise ContentError(
        f"{len(pods)} pods of a cluster that is not policylab's have no prober yet",
        where=f"context {cluster.context}",
        seen=names,
        try_=f"add --yes. {STAYS}",
    )
