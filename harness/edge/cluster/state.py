"""What we know of clusters of our own: a folder each, with the record that says that they are ours.

The record is written before kind is called, so that a cluster which came only half into being is
known as ours, and taken away.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path

from harness.edge.cni.known import DEFAULT
from harness.edge.files.cache import cache_home
from harness.edge.images import Source
from harness.edge.internet.state import Internet, InternetMode
from harness.edge.machine.patience import PATIENCE, Patience
from harness.errors import EnvironmentFault


class ClusterMode(StrEnum):
    """What to do about an existing cluster: see `decide`."""

    AUTO = "auto"
    CREATE = "create"
    REUSE = "reuse"
    EXTERNAL = "external"


class State(StrEnum):
    """How a cluster name is found."""

    ABSENT = "absent"
    HEALTHY = "healthy"
    BROKEN = "broken"
    FOREIGN = "foreign"


class Action(StrEnum):
    """What follows from mode and state."""

    CREATE = "create"
    REUSE = "reuse"
    RECREATE = "recreate"


@dataclass(frozen=True, slots=True)
class ClusterSpec:
    """What is asked for. No `name` means `policylab-CNI`; the last three are pytest-kind's."""

    cni: str = DEFAULT
    name: str = ""
    mode: ClusterMode = ClusterMode.AUTO
    workers: int = 0
    images: Source = Source.AUTO
    internet: InternetMode = InternetMode.SIMULATED
    context: str = ""
    kubeconfig: Path | None = None
    kind_image: str | None = None
    kind_bin: Path | None = None
    kubectl_bin: Path | None = None

    @property
    def cluster(self) -> str:
        """The cluster's name."""
        return self.name or f"policylab-{self.cni}"


@dataclass(frozen=True, slots=True)
class Cluster:
    """A live cluster. `owned`: we made it, now or earlier; `created`: just now.

    `internet` is None where we do not know what its pods find outside. `patience` has the deadlines
    of work on the cluster.
    """

    name: str
    kubeconfig: Path
    context: str
    kubectl: Path
    cni: str
    owned: bool
    created: bool
    refs: Mapping[str, str]
    environment: Mapping[str, str]
    internet: Internet | None
    patience: Patience = PATIENCE


@dataclass(frozen=True, slots=True)
class ClusterStatus:
    """What there is to say of a cluster, and whether it is fit for labs."""

    healthy: bool
    facts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Record:
    """That a cluster is ours, and what it was made of.

    `ready` is set when it stood, and then `containers` has the ids of its nodes: the name alone
    says nothing once somebody deletes our cluster and makes another of that name.
    """

    name: str
    node: str
    cni: str
    workers: int
    ready: bool = False
    containers: tuple[str, ...] = ()

    def owns(self, found: Collection[str]) -> bool:
        """Whether the nodes found under the name are ours; a half-made cluster has only its name.

        One node of ours is enough: the rest of a cluster may have been deleted.
        """
        return not self.containers or not found or not set(self.containers).isdisjoint(found)

    def made_as(self, other: Record) -> bool:
        """Whether both clusters stood and were made of the same."""
        return replace(self, containers=()) == replace(other, ready=True, containers=())

    def told(self) -> str:
        """The record in words."""
        if not self.ready:
            return "it is half made"
        return f"it was made of {self.node}, with {self.cni} and {self.workers} workers"


class Home:
    """The folder of one cluster: record, kubeconfig, kind's config and log.

    `kind` leads to the kind that made the cluster.
    """

    def __init__(self, name: str) -> None:
        self.path = cache_home() / "clusters" / name
        self.kubeconfig = self.path / "kubeconfig"
        self.kind = self.path / "kind"
        self.log = self.path / "kind.log"
        self.resolv_conf = self.path / "resolv.conf"
        self._record = self.path / "owned.json"

    def record(self) -> Record | None:
        """The record, or None if there is none that can be read: then the cluster is not ours."""
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
        """Note that the cluster came up whole, on these nodes."""
        self.claim(replace(record, ready=True, containers=containers))

    def remove(self) -> None:
        """Forget the cluster."""
        shutil.rmtree(self.path, ignore_errors=True)


def owned_clusters() -> list[str]:
    """The names of all clusters that we made and did not delete."""
    return sorted(path.parent.name for path in (cache_home() / "clusters").glob("*/owned.json"))


def decide(mode: ClusterMode, state: State, name: str, seen: str = "") -> Action:
    """What to do, given what is asked for and what is there.

    Raises:
        EnvironmentFault: the two do not go together; `seen` says what was found.
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
                f"the cluster {name} exists already",
                where=f"kind cluster {name}",
                seen=str(state),
                try_=f"policylab cluster down {name}, or --lab-cluster-mode=auto",
            )
    raise EnvironmentFault(
        f"there is no healthy cluster {name} to re-use",
        where=f"kind cluster {name}",
        seen=seen or str(state),
        try_="--lab-cluster-mode=auto makes one",
    )
