"""The state of policylab's own clusters: each has a folder, with a record that policylab made it.

The record is written before kind runs. A cluster whose creation was interrupted is therefore known
as policylab's, and can be deleted.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from hashlib import sha256
from pathlib import Path

from harness.core.probe.container import TOOLBOX
from harness.core.target.family import Families
from harness.edge.cluster.lane import NO_PROXY, Lane
from harness.edge.files.cache import cache_home
from harness.edge.images import Official, Source
from harness.edge.images.model import kubernetes_of
from harness.edge.internet.state import Internet, InternetMode
from harness.edge.machine.patience import PATIENCE, Patience
from harness.errors import EnvironmentFault

LONGEST = 49
"""Letters of a cluster's name: a node is called NAME-control-plane, in a label of 63 letters."""


class ClusterMode(StrEnum):
    """The user's wish for an existing cluster (see `decide`)."""

    AUTO = "auto"
    CREATE = "create"
    REUSE = "reuse"
    EXTERNAL = "external"


class State(StrEnum):
    """The state of a cluster's name."""

    ABSENT = "absent"
    HEALTHY = "healthy"
    BROKEN = "broken"
    FOREIGN = "foreign"


class Action(StrEnum):
    """The action that follows from mode and state."""

    CREATE = "create"
    REUSE = "reuse"
    RECREATE = "recreate"


@dataclass(frozen=True, slots=True)
class ClusterSpec:
    """The cluster that the user asks for.

    Attributes:
        lane: what the cluster is made with.
        name: the cluster's name; empty means `policylab-` and the key of the lane.
        mode: what to do with an existing cluster.
        workers: the number of worker nodes.
        images: the source of the images.
        registry: the mirror that has the official images, as `HOST[:PORT][/PREFIX]`; empty: none.
        internet: the internet that the pods reach.
        context: the kubectl context of the user's own cluster (mode external).
        outside: what stands outside of the user's own cluster (`harness.edge.internet.vouched`).
        kubeconfig: the file to write, or the user's own (pytest-kind's option).
        kind_image: another node image (pytest-kind's option).
        kind_bin: another kind (pytest-kind's option).
        kubectl_bin: another kubectl (pytest-kind's option).
    """

    lane: Lane = field(default_factory=Lane)
    name: str = ""
    mode: ClusterMode = ClusterMode.AUTO
    workers: int = 0
    images: Source = Source.AUTO
    registry: str = ""
    internet: InternetMode = InternetMode.SIMULATED
    context: str = ""
    outside: str = ""
    kubeconfig: Path | None = None
    kind_image: str | None = None
    kind_bin: Path | None = None
    kubectl_bin: Path | None = None

    @property
    def cluster(self) -> str:
        """The cluster's name; a long one ends with a digest, for the names of nodes have bounds."""
        if self.name:
            return self.name
        name = f"policylab-{self.lane.key}"
        if len(name) <= LONGEST:
            return name
        digest = sha256(name.encode()).hexdigest()[:8]
        return f"{name[: LONGEST - 9].rstrip('-.')}-{digest}"


@dataclass(frozen=True, slots=True)
class Cluster:
    """A live cluster.

    Attributes:
        name: its name.
        kubeconfig: the file with access to it.
        context: the context in this file; empty for the current context.
        kubectl: the path of a kubectl that fits it.
        lane: what it is made with. Of a cluster that was found by its name, only the CNI is known.
        owned: whether policylab made it, now or earlier.
        created: whether this run made it.
        refs: the images' full names, by the short names that manifests use.
        environment: the versions of its parts, for reports.
        internet: the internet that its pods reach; None if it is not known.
        patience: the deadlines of work on it.
    """

    name: str
    kubeconfig: Path
    context: str
    kubectl: Path
    lane: Lane
    owned: bool
    created: bool
    refs: Mapping[str, str]
    environment: Mapping[str, str]
    internet: Internet | None
    patience: Patience = PATIENCE

    @property
    def families(self) -> Families:
        """The families of addresses that its pods and Services have."""
        return self.lane.families

    @property
    def toolbox(self) -> str:
        """The image of probers, as its nodes have it."""
        return self.refs.get("toolbox", TOOLBOX)

    @property
    def lets_enter(self) -> bool:
        """Whether probers on its nodes may enter its pods, and see what the pods see there.

        policylab made it, and no load balancer acts on control groups: that one would see the
        prober's group, and not the pod's (docs/adr/0048).
        """
        return self.owned and self.lane.proxy_mode != NO_PROXY


@dataclass(frozen=True, slots=True)
class ClusterStatus:
    """Facts about a cluster by name, and whether labs can run on it."""

    healthy: bool
    facts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Record:
    """The record that policylab made a cluster.

    Attributes:
        name: the cluster's name.
        node: the node image.
        cni: the CNI's name.
        workers: the number of worker nodes.
        kubernetes: its version, e.g. v1.37.2, for words: the node image decides it. It is empty if
            it is not known, as in the records of older policylabs.
        content: what the CNI's folder installs, as one value; empty for policylab's own CNIs.
        variant: the other parts of its lane (`Lane.variant`).
        source: where its images came from; empty in the records of older policylabs.
        registry: the mirror that they were pulled from; empty: none.
        ready: whether the creation was completed.
        containers: the ids of its nodes, once `ready` is set. The name alone proves nothing if
            somebody deletes the cluster and makes another with the same name.
    """

    name: str
    node: str
    cni: str
    workers: int
    kubernetes: str = ""
    content: str = ""
    variant: str = ""
    source: str = ""
    registry: str = ""
    ready: bool = False
    containers: tuple[str, ...] = ()

    def owns(self, found: Collection[str]) -> bool:
        """Whether policylab made these nodes; an unfinished cluster is known by its name only.

        One known node is enough, because the other nodes may have been deleted.
        """
        return not self.containers or not found or not set(self.containers).isdisjoint(found)

    def made_as(self, other: Record) -> bool:
        """Whether both clusters were completed, from the same images, lane and workers."""
        return self.ready and self._parts() == other._parts()

    def official(self, asked: str, cni: str) -> Official:
        """What to ask a registry for, if the user named the mirror `asked`, or none.

        A verb that names no images goes on with those that the cluster was made from.
        """
        pulled = self.source == Source.REGISTRY and asked in ("", self.registry)
        return Official(asked or (self.registry if pulled else ""), cni, before_all=pulled)

    def _parts(self) -> tuple[str, str, str, str, int]:
        return self.node, self.cni, self.content, self.variant, self.workers

    def differs(self, wanted: Record) -> str:
        """In words: why this cluster is not the one that is wanted."""
        if not self.ready:
            return "its creation was not completed"
        own = self.kubernetes or kubernetes_of(self.node)
        parts = {
            "Kubernetes": (own, wanted.kubernetes),
            "CNI": (self.cni, wanted.cni),
            "number of workers": (str(self.workers), str(wanted.workers)),
        }
        other = [
            f"its {part} is {found}, not {asked}"
            for part, (found, asked) in parts.items()
            if found and asked and found != asked
        ]
        if self.variant != wanted.variant:
            usual = "the default one"
            other.append(f"its variant is {self.variant or usual}, not {wanted.variant or usual}")
        if not other and self.content != wanted.content:
            return "the manifests or the images of its CNI have changed"
        return "; ".join(other) or f"its node image is {self.node}, not {wanted.node}"


class Home:
    """The folder of one cluster, with its record, its kubeconfig, kind's config and kind's log.

    `kind` is a link to the kind that made the cluster.
    """

    def __init__(self, name: str) -> None:
        self.path = cache_home() / "clusters" / name
        self.kubeconfig = self.path / "kubeconfig"
        self.kind = self.path / "kind"
        self.log = self.path / "kind.log"
        self.resolv_conf = self.path / "resolv.conf"
        self._record = self.path / "owned.json"

    def record(self) -> Record | None:
        """The record; None if no record can be read, which means that policylab did not make it."""
        try:
            found = json.loads(self._record.read_text(encoding="utf-8"))
            return Record(**{**found, "containers": tuple(found.get("containers", ()))})
        except (OSError, ValueError, TypeError, AttributeError):
            return None

    def claim(self, record: Record) -> None:
        """Write the record in one move."""
        self.path.mkdir(parents=True, exist_ok=True)
        draft = self._record.with_suffix(".new")
        draft.write_text(json.dumps(asdict(record)), encoding="utf-8")
        draft.replace(self._record)

    def stood(self, record: Record, containers: tuple[str, ...]) -> None:
        """Note that the cluster is complete, with these nodes."""
        self.claim(replace(record, ready=True, containers=containers))

    def remove(self) -> None:
        """Forget the cluster."""
        shutil.rmtree(self.path, ignore_errors=True)


def owned_clusters() -> list[str]:
    """The names of all clusters that policylab made and did not delete."""
    return sorted(path.parent.name for path in (cache_home() / "clusters").glob("*/owned.json"))


def decide(mode: ClusterMode, state: State, name: str, seen: str = "") -> Action:
    """The action that follows from the user's wish and the state of the name.

    Raises:
        EnvironmentFault: the two contradict each other; `seen` says what was found.
    """
    match mode, state:
        case ((ClusterMode.AUTO | ClusterMode.CREATE), State.ABSENT):
            return Action.CREATE
        case ((ClusterMode.AUTO | ClusterMode.REUSE), State.HEALTHY):
            return Action.REUSE
        case ClusterMode.AUTO, State.BROKEN:
            return Action.RECREATE
        case _, State.FOREIGN:
            raise EnvironmentFault(
                f"the cluster name {name} is taken by a cluster that policylab did not make",
                where=f"kind cluster {name}",
                try_=f"--cluster-name=ANOTHER, or --lab-context=kind-{name} to use it as it is",
            )
        case ClusterMode.CREATE, _:
            raise EnvironmentFault(
                f"the cluster {name} already exists",
                where=f"kind cluster {name}",
                seen=str(state),
                try_=f"policylab cluster down {name}, or --lab-cluster-mode=auto",
            )
    raise EnvironmentFault(
        f"there is no healthy cluster {name} to use again",
        where=f"kind cluster {name}",
        seen=seen or str(state),
        try_="--lab-cluster-mode=auto makes one",
    )
