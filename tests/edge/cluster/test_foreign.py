"""A cluster that policylab did not make: which images its pods get, and what is outside of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from harness.edge.cluster.foreign import STAND_IN_IMAGE, leave_foreign, open_foreign
from harness.edge.cluster.loading import INSIDE, load_into
from harness.edge.cluster.state import Cluster, ClusterMode, ClusterSpec, Home, Record
from harness.edge.cluster.tools import Tools
from harness.edge.cluster.turn import turn
from harness.edge.images.model import LabArchive
from harness.edge.images.recipe import REPOSITORY
from harness.edge.internet.container import ensure_internet
from harness.edge.internet.engine import LABEL, ROLE, Place
from harness.edge.internet.state import REAL, Internet, InternetMode, Server
from harness.errors import ClusterNotReady, EnvironmentFault, ImageUnavailable
from harness.progress import Quiet
from tests.fakes.docker import FakeEngine
from tests.fakes.kube import FakeKube

NAMES = {"google.com": "172.18.255.254"}
SIMULATED = Internet("172.18.0.9", "172.18.0.9", NAMES, {"192.0.2.10": "172.18.255.254"})
SCHOOL = ClusterSpec(
    mode=ClusterMode.EXTERNAL,
    context="school",
    kubeconfig=Path("/k/config"),
    kubectl_bin=Path("/k/kubectl"),
)
OURS = tuple(f"{REPOSITORY}/{name}:lab" for name in ("nginx", "redis", "toolbox"))
ADDRESS = "172.18.0.3"


@dataclass
class Machine:
    """A machine with the cluster of somebody else; its nodes are containers of the engine."""

    engine: FakeEngine = field(default_factory=FakeEngine)
    api: FakeKube = field(default_factory=FakeKube)
    asked: list[object] = field(default_factory=list)

    def internet(self, image: str, *_: object) -> Internet:
        self.asked.append(image)
        return SIMULATED

    @property
    def tools(self) -> Tools:
        return Tools(
            place=Place(docker=self.engine.docker),
            internet=self.internet,
            connect=lambda *_, **__: self.api,
        )

    def node(self, name: str, *images: str, runtime: str = "containerd://2.1") -> None:
        """A node that names these images."""
        status: dict[str, Any] = {
            "images": [{"names": [image]} for image in images],
            "nodeInfo": {"kubeletVersion": "v1.37.0", "containerRuntimeVersion": runtime},
            "addresses": [{"type": "InternalIP", "address": ADDRESS}],
        }
        self.api.put({"kind": "Node", "metadata": {"name": name}, "status": status})
        self.container(name)

    def container(self, name: str, network: str = "kind", address: str = ADDRESS) -> None:
        networks = {network: {"IPAddress": address, "GlobalIPv6Address": ""}}
        self.engine.containers[name] = {"NetworkSettings": {"Networks": networks}}

    def open(self, spec: ClusterSpec = SCHOOL) -> Cluster:
        return open_foreign(spec, Quiet(), self.tools)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return Machine()


def asking(**changed: Any) -> ClusterSpec:
    return replace(SCHOOL, **changed)


def test_nodes_without_our_images_pull_public_ones(machine: Machine) -> None:
    machine.node("a", "registry.k8s.io/pause:3.10")

    found = machine.open()

    assert found.refs["nginx"].startswith("nginx:")
    assert found.refs["toolbox"].startswith("nicolaka/netshoot:v")
    assert not any(ref.startswith("localhost/") for ref in found.refs.values())
    assert found.environment["images"].startswith("pulled by the nodes: ")


def test_images_that_are_on_every_node_are_used(machine: Machine) -> None:
    for name in "ab":
        machine.node(name, *OURS)

    found = machine.open()

    assert {found.refs[name] for name in ("nginx", "redis", "toolbox")} == {*OURS}
    assert found.refs["coredns"].startswith("coredns/coredns:")
    assert found.environment["images"].startswith("on every node: nginx, redis, toolbox; pulled ")


def test_image_that_one_node_lacks_is_pulled_by_all(machine: Machine) -> None:
    machine.node("a", *OURS)
    machine.node("b", *OURS[1:])

    found = machine.open()

    assert found.refs["nginx"].startswith("nginx:")
    assert found.refs["redis"] == OURS[1]


def test_mirror_gives_what_the_nodes_pull(machine: Machine) -> None:
    machine.node("a")

    found = machine.open(asking(registry="mirror.test:5000/copies"))

    place = "mirror.test:5000/copies"
    assert found.refs["nginx"].startswith(f"{place}/library/nginx:")
    assert found.refs["toolbox"].startswith(f"{place}/nicolaka/netshoot:")


def test_cluster_without_nodes_has_no_image_of_ours(machine: Machine) -> None:
    assert machine.open().refs["nginx"].startswith("nginx:")


@pytest.mark.parametrize(
    ("changed", "internet"),
    [
        ({}, None),
        ({"internet": InternetMode.REAL}, REAL),
        (
            {"outside": "192.0.2.10:80"},
            Internet(servers=(Server("192.0.2.10", 80),), asked=False),
        ),
        (
            {"outside": "192.0.2.10:80", "internet": InternetMode.REAL},
            Internet(servers=(Server("192.0.2.10", 80),)),
        ),
    ],
    ids=["nothing", "real", "servers", "both"],
)
def test_outside_is_what_the_user_says(
    machine: Machine, changed: dict[str, Any], internet: Internet | None
) -> None:
    machine.node("a")

    found = machine.open(asking(**changed))

    assert found.internet == internet
    assert machine.engine.calls == []
    assert machine.asked == []
    assert found.environment["outside"] == changed.get("outside", "nothing is known")


def test_stand_in_has_addresses_and_no_name_is_asked_for(machine: Machine) -> None:
    machine.node("a")

    found = machine.open(asking(outside="stand-in")).internet

    assert machine.asked == [STAND_IN_IMAGE]
    assert found is not None
    assert found.address("google.com", 80) == NAMES["google.com"]
    assert not found.asked
    assert not found.led


@pytest.mark.parametrize("network", ["minikube", "k3d-school"])
def test_stand_in_is_for_nodes_on_the_network_of_kind(machine: Machine, network: str) -> None:
    machine.node("a")
    machine.container("a", network)

    with pytest.raises(EnvironmentFault, match="the stand-in is beside kind clusters") as caught:
        machine.open(asking(outside="stand-in"))

    assert network in caught.value.seen
    assert machine.asked == []


def test_node_on_another_machine_has_no_stand_in(machine: Machine) -> None:
    machine.node("a")
    machine.container("a", address="172.18.0.77")  # somebody else's container of the same name

    with pytest.raises(EnvironmentFault, match="is no container of this machine's engine"):
        machine.open(asking(outside="stand-in"))


@pytest.fixture
def stand_in(machine: Machine) -> None:
    machine.engine.containers["policylab-internet"] = {
        "Id": "c0",
        "Config": {"Labels": {LABEL: ROLE}},
    }


@pytest.mark.usefixtures("stand_in")
def test_stand_in_is_removed_after_the_run(machine: Machine) -> None:
    with turn(SCHOOL):
        leave_foreign(asking(outside="stand-in"), machine.tools)

    assert machine.engine.did("rm") == [["rm", "--force", "--volumes", "c0"]]


@pytest.fixture(params=["cluster", "run", "option"])
def needed(request: pytest.FixtureRequest, machine: Machine) -> Iterator[ClusterSpec]:
    """Who needs the simulated internet: a cluster of policylab, another run, or nobody."""
    other = asking(context="other")
    match request.param:
        case "cluster":
            Home("policylab-calico").claim(Record("policylab-calico", "node:1", "calico", 0))
            yield asking(outside="stand-in")
        case "run":
            with turn(other):
                yield asking(outside="stand-in")
        case "option":
            yield asking(outside="192.0.2.1:80")


@pytest.mark.usefixtures("stand_in")
def test_simulated_internet_that_others_need_stays(machine: Machine, needed: ClusterSpec) -> None:
    with turn(SCHOOL):
        leave_foreign(needed, machine.tools)

    assert machine.engine.did("rm") == []


# Images that are put on the nodes.


@pytest.fixture
def archive(tmp_path: Path) -> LabArchive:
    file = tmp_path / "lab-images.tar"
    file.write_bytes(b"images")
    return LabArchive(file, OURS)


def knows_images(machine: Machine) -> None:
    """An import makes the node name the images."""

    def answer(words: list[str]) -> tuple[int, str, str] | None:
        if words[0] == "exec" and INSIDE in words and "rm" not in words:
            runtime = "docker://28" if "load" in words else "containerd://2.1"
            machine.node(words[1], *OURS, runtime=runtime)
        return None

    machine.engine.answers.append(answer)


@pytest.mark.parametrize(
    ("runtime", "command"), [("containerd://2.1", "ctr"), ("docker://28.0", "docker")]
)
def test_archive_is_imported_by_the_runtime_of_each_node_and_removed(
    machine: Machine, archive: LabArchive, runtime: str, command: str
) -> None:
    for name in "ab":
        machine.node(name, runtime=runtime)
    knows_images(machine)

    assert load_into("school", archive, Quiet(), machine.tools) == ("a", "b")

    changed = [words for words in machine.engine.calls if words[1] != "inspect"]
    assert [words[:3] for words in changed] == [
        *(["cp", str(archive.file), f"a:{INSIDE}"], ["exec", "a", command], ["exec", "a", "rm"]),
        *(["cp", str(archive.file), f"b:{INSIDE}"], ["exec", "b", command], ["exec", "b", "rm"]),
    ]


def test_nothing_is_loaded_if_one_node_is_somewhere_else(
    machine: Machine, archive: LabArchive
) -> None:
    machine.node("a")
    machine.node("b")
    del machine.engine.containers["b"]

    with pytest.raises(EnvironmentFault, match="the node b is no container"):
        load_into("school", archive, Quiet(), machine.tools)

    assert machine.engine.did("cp") == []


def test_runtime_that_is_not_known_is_refused_before_anything_is_loaded(
    machine: Machine, archive: LabArchive
) -> None:
    machine.node("a", runtime="cri-o://1.37")

    with pytest.raises(EnvironmentFault, match="cannot load images into the runtime") as caught:
        load_into("school", archive, Quiet(), machine.tools)

    assert caught.value.seen == "cri-o://1.37"
    assert machine.engine.did("cp") == []


def test_archive_is_removed_from_a_node_that_does_not_import_it(
    machine: Machine, archive: LabArchive
) -> None:
    machine.node("a")
    machine.engine.answers.append(
        lambda words: (1, "", "no space left on device") if "import" in words else None
    )

    with pytest.raises(EnvironmentFault, match="does not import the labs' images") as caught:
        load_into("school", archive, Quiet(), machine.tools)

    assert "no space left" in caught.value.seen
    assert machine.engine.calls[-1] == ["exec", "a", "rm", "-f", INSIDE]


def test_node_that_never_names_the_images_is_told(machine: Machine, archive: LabArchive) -> None:
    machine.node("a", *OURS[:2])

    with pytest.raises(ClusterNotReady, match="every node names the labs' images") as caught:
        load_into("school", archive, Quiet(), machine.tools)

    assert caught.value.seen == f"node a does not name {OURS[2]}"


def test_stand_in_without_its_image_says_how_it_is_made(machine: Machine) -> None:
    with pytest.raises(ImageUnavailable, match="simulated internet is not in the local engine"):
        ensure_internet(STAND_IN_IMAGE, Quiet(), Place(docker=machine.engine.docker))
