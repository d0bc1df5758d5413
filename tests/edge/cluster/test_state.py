"""What becomes of a cluster: the decision by mode and state, and who may delete what."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NoReturn

import pytest

from harness.edge.cluster import nodes as nodes_module
from harness.edge.cluster.maker import Maker
from harness.edge.cluster.opening import delete_cluster, open_cluster, status
from harness.edge.cluster.state import (
    Action,
    Cluster,
    ClusterMode,
    ClusterSpec,
    Home,
    Record,
    State,
    decide,
    owned_clusters,
)
from harness.edge.cluster.tools import Tools
from harness.edge.images import ClusterImages, Official, Source
from harness.edge.images.model import CniParts, build_of
from harness.edge.internet.engine import LABEL, ROLE, Place
from harness.edge.internet.state import REAL, Internet, InternetMode
from harness.edge.machine.patience import PATIENCE
from harness.edge.machine.process import CommandFailed
from harness.errors import ClusterNotReady, EnvironmentFault, ToolMissing
from harness.progress import Quiet
from tests.fakes.docker import FakeEngine
from tests.fakes.kind import FakeKinds
from tests.fakes.kube import FakeKube
from tests.fakes.machine import FakeMachine

NAME = "policylab-calico"
VERSION = "v1.37.2"
INTERNET = Internet(dns="172.18.0.9", web="172.18.0.9", names={}, addresses={})
OURS = Record(NAME, "node:1", "calico", 0, VERSION, source="build")
NODES = ("5f2a", "91c0")
COREFILE = ".:53 {\n    forward . /etc/resolv.conf\n}\n"


@dataclass
class Machine:
    """A machine without Docker, kind and clusters."""

    images: ClusterImages
    engine: FakeEngine = field(default_factory=FakeEngine)
    kinds: FakeKinds = field(default_factory=FakeKinds)
    api: FakeKube = field(default_factory=FakeKube)
    looks: FakeMachine = field(default_factory=FakeMachine)
    internets: int = 0
    asked: list[Official] = field(default_factory=list)

    def internet(self, *_: object) -> Internet:
        self.internets += 1
        return INTERNET

    def give(self, *asked: object) -> ClusterImages:
        self.asked += [each for each in asked if isinstance(each, Official)]
        return self.images

    @property
    def tools(self) -> Tools:
        return Tools(
            looks=self.looks,
            place=Place(docker=self.engine.docker),
            images=self.give,
            internet=self.internet,
            kind=self.kinds,
            connect=lambda *_, **__: self.api,
        )

    def maker(self, internet: Internet = INTERNET) -> Maker:
        return Maker(ClusterSpec(), self.images, internet, Quiet(), self.tools)

    def open(self, spec: ClusterSpec) -> Cluster:
        return open_cluster(spec, Quiet(), self.tools)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return Home(NAME)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    crds, kubectl = tmp_path / "crds.yaml", tmp_path / "kubectl"
    crds.write_text("kind: CustomResourceDefinition\n", encoding="utf-8")
    kubectl.write_text("#!/bin/sh\n", encoding="utf-8")
    kubectl.chmod(0o755)
    images = ClusterImages(
        source=Source.BUILD,
        node="node:1",
        refs={"internet": "internet:1", "calico-cni": "calico:1", "calico-node": "calico:1"},
        load=(),
        kind=tmp_path / "kind",
        kubectl=kubectl,
        kubernetes_version=VERSION,
        image_repository=None,
        kubeadm_patch=None,
        cnis={"calico": CniParts("v1", crds)},
    )
    made = Machine(images)
    made.engine.ids = NODES
    made.api.put(*healthy())
    return made


def healthy() -> list[dict[str, Any]]:
    """The objects of a cluster that lacks nothing."""
    ready = {"conditions": [{"type": "Ready", "status": "True"}], "nodeInfo": {}}
    system = {"namespace": "kube-system"}
    return [
        {"kind": "Namespace", "metadata": {"name": "kube-system"}},
        {"kind": "Node", "metadata": {"name": "n"}, "status": ready},
        {
            "kind": "DaemonSet",
            "metadata": {"name": "calico-node", **system},
            "status": {"desiredNumberScheduled": 1, "numberReady": 1},
        },
        {
            "kind": "Deployment",
            "metadata": {"name": "coredns", **system},
            "spec": {"replicas": 1},
            "status": {"updatedReplicas": 1, "availableReplicas": 1, "replicas": 1},
        },
        {
            "kind": "ConfigMap",
            "metadata": {"name": "coredns", **system},
            "data": {"Corefile": COREFILE},
        },
    ]


def raising(fault: BaseException) -> Callable[[str], NoReturn]:
    """What happens when a cluster is to be made."""

    def create(name: str) -> NoReturn:
        raise fault

    return create


@pytest.mark.parametrize(
    ("mode", "state", "action"),
    [
        (ClusterMode.AUTO, State.ABSENT, Action.CREATE),
        (ClusterMode.AUTO, State.HEALTHY, Action.REUSE),
        (ClusterMode.AUTO, State.BROKEN, Action.RECREATE),
        (ClusterMode.CREATE, State.ABSENT, Action.CREATE),
        (ClusterMode.REUSE, State.HEALTHY, Action.REUSE),
    ],
)
def test_mode_and_state_that_fit_lead_to_one_action(
    mode: ClusterMode, state: State, action: Action
) -> None:
    assert decide(mode, state, NAME) is action


@pytest.mark.parametrize(
    ("mode", "state", "words"),
    [
        (ClusterMode.AUTO, State.FOREIGN, "is taken by a cluster that policylab did not make"),
        (ClusterMode.CREATE, State.FOREIGN, "is taken by a cluster that policylab did not make"),
        (ClusterMode.REUSE, State.FOREIGN, "is taken by a cluster that policylab did not make"),
        (ClusterMode.CREATE, State.HEALTHY, "already exists"),
        (ClusterMode.CREATE, State.BROKEN, "already exists"),
        (ClusterMode.REUSE, State.ABSENT, "no healthy cluster"),
        (ClusterMode.REUSE, State.BROKEN, "no healthy cluster"),
    ],
)
def test_mode_and_state_that_do_not_fit_are_a_fault_with_a_way_out(
    mode: ClusterMode, state: State, words: str
) -> None:
    with pytest.raises(EnvironmentFault, match=words) as caught:
        decide(mode, state, NAME)

    assert NAME in caught.value.where
    assert caught.value.try_


def test_cluster_of_that_name_without_our_record_is_foreign(machine: Machine) -> None:
    machine.kinds.clusters = [NAME]

    assert machine.maker().state() == (State.FOREIGN, "")


def test_cluster_that_kind_does_not_list_is_absent_whatever_the_record_says(
    machine: Machine, home: Home
) -> None:
    home.stood(OURS, NODES)

    assert machine.maker().state() == (State.ABSENT, "")


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (OURS, "its creation was not completed"),
        (replace(OURS, ready=True, workers=2), "its number of workers is 2, not 0"),
        (replace(OURS, ready=True, node="node:0"), "its node image is node:0, not node:1"),
        (
            replace(OURS, ready=True, node="node:0", kubernetes="v1.34.4"),
            "its Kubernetes is v1.34.4, not v1.37.2",
        ),
    ],
    ids=["half made", "other workers", "other image", "other Kubernetes"],
)
def test_cluster_of_ours_that_is_not_what_is_asked_for_is_broken(
    machine: Machine, home: Home, record: Record, words: str
) -> None:
    home.claim(record)
    machine.kinds.clusters = [NAME]

    state, seen = machine.maker().state()

    assert state is State.BROKEN
    assert words in seen


def test_cluster_of_an_older_policylab_is_told_by_the_version_of_its_node_image(
    machine: Machine, home: Home
) -> None:
    """Older records name no version; the build of the node image may still be there."""
    node = "localhost/policylab/node:0123456789abcdef"
    build = build_of(node)
    build.mkdir(parents=True)
    (build / "cluster.json").write_text('{"kubernetes_version": "v1.34.4"}', encoding="utf-8")
    home.stood(replace(OURS, node=node, kubernetes=""), NODES)
    machine.kinds.clusters = [NAME]

    assert machine.maker().state() == (State.BROKEN, "its Kubernetes is v1.34.4, not v1.37.2")


def test_same_cluster_from_a_record_without_a_version_is_used_again(
    machine: Machine, home: Home
) -> None:
    home.stood(replace(OURS, kubernetes=""), NODES)
    machine.kinds.clusters = [NAME]

    assert machine.maker().state() == (State.HEALTHY, "")


@pytest.mark.parametrize(
    ("lacking", "state"), [("", State.HEALTHY), ("there is no CoreDNS", State.BROKEN)]
)
def test_cluster_of_ours_is_healthy_when_nothing_is_missing(
    machine: Machine, lacking: str, state: State
) -> None:
    Home(NAME).stood(OURS, NODES)
    machine.kinds.clusters = [NAME]
    if lacking:
        machine.api.remove(("Deployment", "kube-system", "coredns"))

    assert machine.maker().state() == (state, lacking)


def test_cluster_of_ours_whose_api_does_not_answer_is_broken(machine: Machine, home: Home) -> None:
    home.stood(OURS, NODES)
    machine.kinds.clusters = [NAME]
    machine.kinds.fails = {"export"}

    state, seen = machine.maker().state()

    assert state is State.BROKEN
    assert "export failed" in seen


def test_foreign_cluster_is_neither_used_nor_deleted_by_open_cluster(machine: Machine) -> None:
    machine.kinds.clusters = [NAME]

    with pytest.raises(EnvironmentFault, match="is taken by a cluster"):
        machine.open(ClusterSpec())

    assert machine.kinds.deleted() == []
    assert machine.kinds.clusters == [NAME]


def test_foreign_cluster_is_not_deleted_by_name(machine: Machine) -> None:
    machine.kinds.clusters = ["mine"]
    Home("ours").stood(replace(OURS, name="ours"), NODES)

    with pytest.raises(ClusterNotReady, match="is not policylab's, so it is not deleted") as caught:
        delete_cluster("mine", machine.tools)

    assert machine.kinds.asked == []
    assert "known: ours" in caught.value.try_


def test_record_that_cannot_be_read_makes_a_cluster_foreign(machine: Machine, home: Home) -> None:
    home.claim(OURS)
    (home.path / "owned.json").write_text('{"name": ', encoding="utf-8")
    machine.kinds.clusters = [NAME]

    assert machine.maker().state() == (State.FOREIGN, "")


def test_cluster_of_ours_is_deleted_with_its_record(machine: Machine, home: Home) -> None:
    home.stood(OURS, NODES)
    home.kind.write_text("the kind that made it", encoding="utf-8")
    machine.kinds.clusters = [NAME, "mine"]
    machine.engine.containers["policylab-internet"] = {
        "Id": "c0",
        "Config": {"Labels": {LABEL: ROLE}},
    }
    machine.engine.answers.append(
        lambda words: (0, "", "") if "--filter=network=kind" in words else None
    )

    delete_cluster(NAME, machine.tools)

    assert machine.kinds.clusters == ["mine"]
    assert owned_clusters() == []
    assert not home.path.exists()
    assert machine.engine.did("rm") == [["rm", "--force", "--volumes", "c0"]]


def test_record_stays_when_kind_cannot_delete(machine: Machine, home: Home) -> None:
    home.stood(OURS, NODES)
    home.kind.write_text("the kind that made it", encoding="utf-8")
    machine.kinds.fails = {"delete"}

    with pytest.raises(CommandFailed):
        delete_cluster(NAME, machine.tools)

    assert owned_clusters() == [NAME]


@pytest.mark.parametrize(
    "fault", [KeyboardInterrupt(), ClusterNotReady("kind failed"), RuntimeError("a bug")], ids=repr
)
def test_half_made_cluster_is_deleted_and_the_fault_goes_on(
    machine: Machine, fault: BaseException
) -> None:
    machine.kinds.creating = raising(fault)

    with pytest.raises(type(fault)):
        machine.maker().create()

    assert machine.kinds.deleted() == [NAME]
    assert [words[2] for words in machine.engine.did("create")] == [f"--name={NAME}-control-plane"]
    assert owned_clusters() == []
    assert not Home(NAME).path.exists()


def test_record_is_written_before_kind_is_called_and_not_yet_ready(
    machine: Machine, home: Home
) -> None:
    seen: list[Record | None] = []
    machine.kinds.creating = lambda _: seen.append(home.record())

    machine.maker().create()

    assert seen == [OURS]


def test_half_made_cluster_that_cannot_be_deleted_stays_ours_and_the_first_fault_goes_on(
    machine: Machine, home: Home
) -> None:
    machine.kinds.creating = raising(KeyboardInterrupt())
    machine.kinds.fails = {"delete"}

    with pytest.raises(KeyboardInterrupt):
        machine.maker().create()

    assert home.record() == OURS


def test_cluster_that_stands_is_recorded_as_ready(machine: Machine, home: Home) -> None:
    machine.maker().create()

    assert home.record() == replace(OURS, ready=True, containers=NODES)


def test_images_that_the_node_lacks_are_loaded_into_it(machine: Machine) -> None:
    machine.images = replace(machine.images, load=("nginx:1", "calico:1"))

    machine.maker().create()

    loaded = [name for verb, name in machine.kinds.asked if verb == "load"]
    assert loaded == ["nginx:1", "calico:1"]


@pytest.mark.parametrize(
    ("record", "asked", "official"),
    [
        (None, "", Official("", "calico")),
        (None, "m:1", Official("m:1", "calico")),
        (OURS, "m:1", Official("m:1", "calico")),
        (replace(OURS, source=""), "", Official("", "calico")),
        (replace(OURS, source="registry"), "", Official("", "calico", before_all=True)),
        (
            replace(OURS, source="registry", registry="m:1"),
            "",
            Official("m:1", "calico", before_all=True),
        ),
        (
            replace(OURS, source="registry", registry="m:1"),
            "m:1",
            Official("m:1", "calico", before_all=True),
        ),
        (replace(OURS, source="registry", registry="m:1"), "m:2", Official("m:2", "calico")),
    ],
    ids=["none", "new", "built", "old", "official", "unnamed", "same", "another"],
)
def test_run_that_names_no_mirror_asks_for_what_the_cluster_was_made_from(
    machine: Machine, home: Home, record: Record | None, asked: str, official: Official
) -> None:
    if record is not None:
        home.stood(record, NODES)
        machine.kinds.clusters = [NAME]

    machine.open(ClusterSpec(registry=asked))

    assert machine.asked == [official]


def test_record_says_from_which_mirror_a_cluster_was_made(machine: Machine, home: Home) -> None:
    machine.images = replace(machine.images, source=Source.REGISTRY, mirror="m:1")

    machine.open(ClusterSpec(registry="m:1"))

    found = home.record()
    assert found is not None
    assert (found.source, found.registry) == ("registry", "m:1")


def test_cluster_made_by_somebody_else_under_our_old_name_is_foreign(
    machine: Machine, home: Home
) -> None:
    home.stood(OURS, ("0000",))
    machine.kinds.clusters = [NAME]

    assert machine.maker().state() == (State.FOREIGN, "")


def test_cluster_made_by_somebody_else_under_our_old_name_is_not_deleted(
    machine: Machine, home: Home
) -> None:
    home.stood(OURS, ("0000",))
    machine.kinds.clusters = [NAME]

    with pytest.raises(ClusterNotReady, match="is not policylab's, so it is not deleted"):
        delete_cluster(NAME, machine.tools)

    assert machine.kinds.deleted() == []
    assert owned_clusters() == []


@pytest.mark.parametrize(
    ("recorded", "found", "owned"),
    [
        (NODES, NODES, True),
        (NODES, NODES[:1], True),
        (NODES, ("0000",), False),
        (NODES, (), True),
        ((), ("0000",), True),
    ],
    ids=["whole", "half deleted", "another's", "all gone", "half made"],
)
def test_cluster_is_ours_by_its_containers(
    recorded: tuple[str, ...], found: tuple[str, ...], owned: bool
) -> None:
    assert replace(OURS, containers=recorded).owns(found) is owned


def test_status_of_an_unknown_cluster_names_those_that_are_known(home: Home) -> None:
    home.stood(OURS, NODES)

    found = status("elsewhere")

    assert not found.healthy
    state = "there is no such cluster, or policylab did not make it"
    assert found.facts == {"state": state, "known": NAME}


def test_status_of_a_cluster_whose_kubeconfig_is_gone_is_not_healthy(home: Home) -> None:
    home.stood(OURS, NODES)

    found = status(NAME)

    assert not found.healthy
    assert found.facts["cni"] == "calico"
    assert "does not answer" in found.facts["state"]


SCHOOL = ClusterSpec(
    mode=ClusterMode.EXTERNAL,
    context="school",
    kubeconfig=Path("/k/config"),
    kubectl_bin=Path("/k/kubectl"),
)


def test_existing_cluster_is_used_as_it_is_and_nothing_is_made(machine: Machine) -> None:
    found = machine.open(SCHOOL)

    assert not found.owned
    assert not found.created
    assert (found.context, found.kubeconfig) == ("school", Path("/k/config"))
    assert found.internet is None
    assert found.environment["nodes"] == "1"
    assert machine.kinds.asked == []
    assert machine.engine.calls == []
    assert machine.internets == 0
    assert owned_clusters() == []


class Told(Quiet):
    """A progress that keeps its notes."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


@pytest.mark.parametrize(
    ("kubectl", "told"), [("v1.36.9", False), ("v1.35.1", True), ("v1.39.0", True), ("", False)]
)
def test_a_kubectl_outside_of_its_skew_is_told_and_the_cluster_is_used(
    machine: Machine, tmp_path: Path, kubectl: str, told: bool
) -> None:
    [node] = machine.api.list("v1", "Node")
    node["status"]["nodeInfo"] = {"kubeletVersion": "v1.37.2"}
    machine.api.put(node)
    program, progress = tmp_path / "own-kubectl", Told()
    answer = json.dumps({"clientVersion": {"gitVersion": kubectl}})
    program.write_text(f"#!/bin/sh\necho '{answer}'\n", encoding="utf-8")
    program.chmod(0o755)

    open_cluster(replace(SCHOOL, kubectl_bin=program), progress, machine.tools)

    assert [("v1.37.2" in note, kubectl in note) for note in progress.notes] == [
        (True, True)
    ] * told


def test_existing_cluster_without_kubectl_is_a_missing_tool(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")

    with pytest.raises(ToolMissing, match="kubectl is not on PATH"):
        machine.open(replace(SCHOOL, kubectl_bin=None))


def test_real_internet_of_an_existing_cluster_is_what_the_user_says(machine: Machine) -> None:
    assert machine.open(replace(SCHOOL, internet=InternetMode.REAL)).internet is REAL


@pytest.mark.parametrize(
    ("mode", "started", "internet"),
    [(InternetMode.REAL, 0, REAL), (InternetMode.SIMULATED, 1, INTERNET)],
)
def test_real_internet_needs_no_container_of_ours(
    machine: Machine, home: Home, mode: InternetMode, started: int, internet: Internet
) -> None:
    home.stood(OURS, NODES)
    machine.kinds.clusters = [NAME]
    machine.engine.answers.append(
        lambda words: (0, "nameserver 172.18.0.2\n", "") if words[0] == "exec" else None
    )

    found = machine.open(ClusterSpec(internet=mode))

    assert (machine.internets, found.internet) == (started, internet)


def test_every_node_is_told_to_answer_what_it_refuses(machine: Machine, home: Home) -> None:
    home.stood(OURS, NODES)
    machine.kinds.clusters = [NAME]

    machine.open(ClusterSpec())

    told = [words for words in machine.engine.calls if "net.ipv4.icmp_ratelimit=0" in words]
    assert [words[1] for words in told] == list(NODES)


@pytest.mark.parametrize(("internet", "upstream"), [(INTERNET, "172.18.0.9"), (REAL, "172.18.0.2")])
def test_coredns_asks_the_internets_name_server_or_the_nodes(
    machine: Machine, internet: Internet, upstream: str
) -> None:
    told = "# made by Docker\nnameserver 172.18.0.2\noptions ndots:0\n"
    machine.engine.answers.append(lambda words: (0, told, "") if words[0] == "exec" else None)

    machine.maker(internet).point_dns(machine.api)

    found = machine.api.get("v1", "ConfigMap", "coredns", "kube-system")
    assert found is not None
    assert found["data"]["Corefile"] == f".:53 {{\n    log\n    forward . {upstream}\n}}\n"


def test_node_without_a_name_server_says_what_to_do() -> None:
    engine = FakeEngine(lambda _: (0, "options ndots:0\n", ""))

    with pytest.raises(ClusterNotReady, match="has no name server") as caught:
        nodes_module.node_resolver("c", engine.docker)

    assert caught.value.where == "docker exec c-control-plane cat /etc/resolv.conf"
    assert caught.value.try_ == "--lab-internet=simulated"


def test_patience_goes_with_the_cluster(machine: Machine) -> None:
    machine.engine.patience = PATIENCE.times(3)

    assert machine.open(SCHOOL).patience == PATIENCE.times(3)


def test_cluster_that_cannot_come_up_is_refused_before_any_image_is_built(
    machine: Machine, home: Home
) -> None:
    machine.looks.without("/sys/fs/cgroup/cgroup.controllers")

    with pytest.raises(EnvironmentFault, match="no control groups are mounted"):
        machine.open(ClusterSpec())

    assert machine.asked == []
    assert home.record() is None


def test_cluster_that_is_there_is_not_asked_what_it_needs(machine: Machine, home: Home) -> None:
    machine.kinds.clusters = [NAME]
    home.stood(OURS, NODES)
    machine.looks.without("/sys/fs/cgroup/cgroup.controllers")

    assert machine.open(ClusterSpec()).created is False
