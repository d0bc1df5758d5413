"""Where images come from: the order of `auto`, and what each source says when it has none."""

import json
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from harness.edge.cluster.lane import KUBERNETES
from harness.edge.files.cache import cache_home
from harness.edge.images import Official, Source, pipeline
from harness.edge.images.engine import drop_others, missing
from harness.edge.images.export import bundle
from harness.edge.images.model import LAB_ARCHIVE
from harness.edge.images.provide import choose, provide
from harness.edge.images.registry import official
from harness.edge.images.store import Store, Workshop
from harness.edge.images.versions import versions_of
from harness.edge.machine import debian
from harness.edge.machine.health.room import GIB
from harness.errors import EnvironmentFault, ImageUnavailable, ToolMissing
from harness.progress import Quiet
from tests.fakes.docker import FakeEngine


class Usage(NamedTuple):
    """What `shutil.disk_usage` says, in bytes."""

    total: int
    used: int
    free: int


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeEngine:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return FakeEngine()


class Notes(Quiet):
    """Keeps the lines."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, text: str) -> None:
        self.lines.append(text)


def shop(engine: FakeEngine) -> Workshop:
    return Workshop(Store(cache_home()), engine.docker, Quiet())


def planned(kubernetes: str = "") -> pipeline.Plan:
    return pipeline.plan(shop(FakeEngine()), {"kubernetes": kubernetes})


def chosen(source: Source, engine: FakeEngine) -> Source:
    return choose(source, shop(engine), planned())


def describe(home: Path, node: str, kubernetes: str = "", cilium: str = "") -> None:
    home.mkdir(parents=True)
    recipes = planned().recipes
    facts = {
        "node": node,
        "refs": {"nginx": "localhost/policylab/nginx:lab"},
        "kubernetes_version": kubernetes or recipes["kubernetes"].version,
        "cni_versions": {"calico": "v2", "cilium": cilium or recipes["cilium"].version},
        "image_repository": "localhost/policylab",
        "kubeadm_patch": "kind: ClusterConfiguration\n",
    }
    (home / "cluster.json").write_text(json.dumps(facts))
    (home / "record.json").write_text("{}")


def finished_build(tmp_path: Path, engine: FakeEngine) -> str:
    key = planned().keys.cluster
    node = f"localhost/policylab/node:{key}"
    describe(tmp_path / "policylab" / "artefacts" / f"cluster-{key}", node)
    engine.images |= {node: "1", beside(): "2"}
    return node


def beside() -> str:
    return f"localhost/policylab/internet:{planned().keys.images['internet']}"


def test_auto_takes_the_finished_build(tmp_path: Path, engine: FakeEngine) -> None:
    engine.online = True
    node = finished_build(tmp_path, engine)
    found = provide(Source.AUTO, Quiet(), engine.docker)
    assert (found.node, found.source) == (node, Source.BUILD)
    assert found.kubeadm_patch == "kind: ClusterConfiguration\n"
    assert found.kubectl.name == "kubectl"
    assert found.refs["internet"] == "localhost/policylab/internet:lab"
    assert engine.images[found.refs["internet"]] == engine.images[beside()]


def test_image_beside_the_cluster_is_missed_without_missing_the_cluster(
    tmp_path: Path, engine: FakeEngine
) -> None:
    finished_build(tmp_path, engine)
    del engine.images[beside()]
    assert chosen(Source.AUTO, engine) is Source.BUILD
    assert pipeline.built(shop(engine), planned().keys.cluster)
    assert missing(shop(engine), planned()) == {"internet"}


def test_superseded_image_beside_the_cluster_is_dropped(engine: FakeEngine) -> None:
    kept, old = beside(), "localhost/policylab/internet:old"
    lab = "localhost/policylab/internet:lab"
    engine.images |= dict.fromkeys((kept, old, lab), "1")
    drop_others(engine.docker, "internet", kept)
    assert set(engine.images) == {kept, lab}


def test_bundle_brings_its_own_image_beside_the_cluster(tmp_path: Path, engine: FakeEngine) -> None:
    home = tmp_path / "policylab" / "bundle"
    describe(home, "localhost/policylab/node:bundled")
    facts = json.loads((home / "cluster.json").read_text())
    facts["engine"] = {"internet": "localhost/policylab/internet:bundled"}
    (home / "cluster.json").write_text(json.dumps(facts))
    engine.images |= {facts["node"]: "1", facts["engine"]["internet"]: "2"}
    found = provide(Source.BUNDLE, Quiet(), engine.docker)
    assert found.refs["internet"] == "localhost/policylab/internet:lab"
    assert engine.images[found.refs["internet"]] == "2"


def test_auto_takes_the_loaded_bundle_before_the_registry(
    tmp_path: Path, engine: FakeEngine
) -> None:
    engine.online = True
    describe(tmp_path / "policylab" / "bundle", "localhost/policylab/node:bundled")
    engine.images["localhost/policylab/node:bundled"] = "1"
    assert chosen(Source.AUTO, engine) is Source.BUNDLE
    assert provide(Source.AUTO, Quiet(), engine.docker).source is Source.BUNDLE


def test_auto_with_nothing_cached_takes_the_official_images(engine: FakeEngine) -> None:
    assert chosen(Source.AUTO, engine) is Source.REGISTRY


def test_auto_says_why_the_official_images_cannot_be_had_and_builds(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = Notes()
    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage(0, 0, 7 * GIB))

    # That the disk is too small is what a build says first.
    with pytest.raises(EnvironmentFault, match="20 GiB"):
        provide(Source.AUTO, told, engine.docker, official=Official("mirror.test/copies"))

    [note] = [line for line in told.lines if "packages" in line]
    assert "no registry answers at mirror.test" in note
    assert "no such host" in note


def test_registry_route_that_was_asked_for_never_builds(engine: FakeEngine) -> None:
    with pytest.raises(ImageUnavailable, match=r"no registry answers at mirror\.test"):
        provide(Source.REGISTRY, Quiet(), engine.docker, official=Official("mirror.test/copies"))


def test_build_whose_node_image_the_engine_lost_is_built_again(
    tmp_path: Path, engine: FakeEngine
) -> None:
    finished_build(tmp_path, engine)
    engine.images.clear()
    assert pipeline.built(shop(engine), planned().keys.cluster) is None


def test_build_never_uses_a_bundle(tmp_path: Path, engine: FakeEngine) -> None:
    describe(tmp_path / "policylab" / "bundle", "localhost/policylab/node:bundled")
    engine.images["localhost/policylab/node:bundled"] = "1"
    assert chosen(Source.BUILD, engine) is Source.BUILD


@pytest.mark.usefixtures("engine")
def test_bundle_of_another_version_does_not_count(tmp_path: Path, engine: FakeEngine) -> None:
    """After a change of the default version, the loaded bundle is still that of the old one."""
    node = "localhost/policylab/node:bundled"
    describe(tmp_path / "policylab" / "bundle", node, "v1.2.3")
    engine.images[node] = "1"

    assert chosen(Source.AUTO, engine) is Source.REGISTRY
    with pytest.raises(ImageUnavailable, match=f"no bundle with .*Kubernetes {KUBERNETES[0]} is"):
        provide(Source.BUNDLE, Quiet(), engine.docker)


def test_bundle_of_each_version_has_its_place(tmp_path: Path, engine: FakeEngine) -> None:
    for number, version in enumerate(KUBERNETES):
        node = f"localhost/policylab/node:{number}"
        place = "bundle" if number == 0 else f"bundle-{version}"
        describe(tmp_path / "policylab" / place, node, f"v{version}.1")
        engine.images[node] = str(number)
    found = [
        provide(Source.BUNDLE, Quiet(), engine.docker, {"kubernetes": version}).kubernetes_version
        for version in KUBERNETES
    ]

    assert found == [f"v{version}.1" for version in KUBERNETES]
    assert provide(Source.BUNDLE, Quiet(), engine.docker).kubernetes_version == found[0]


def test_bundle_with_another_version_of_a_cni_has_a_place_of_its_own(
    tmp_path: Path, engine: FakeEngine
) -> None:
    usual, *others = versions_of("cilium")
    for version in (usual, *others):
        node = f"localhost/policylab/node:{version}"
        place = "bundle" if version == usual else f"bundle-cilium-{version}"
        describe(tmp_path / "policylab" / place, node, cilium=f"v{version}.7")
        engine.images[node] = version

    for version in (usual, *others):
        found = provide(Source.BUNDLE, Quiet(), engine.docker, {"cilium": version})
        assert found.cnis["cilium"].version == f"v{version}.7"
    assert others


def test_bundle_that_is_not_loaded_says_how_to_load_it(engine: FakeEngine) -> None:
    with pytest.raises(ImageUnavailable, match="policylab images load FILE"):
        provide(Source.BUNDLE, Quiet(), engine.docker)


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("version", KUBERNETES)
def test_official_node_image_is_pinned_by_digest(version: str) -> None:
    node = official.official_node(planned(version).recipes)
    assert node.startswith(f"kindest/node:v{version}.")
    assert "@sha256:" in node
    assert len(node.rpartition(":")[2]) == 64


def test_engine_that_does_not_answer_is_reported_before_anything_is_read(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.broken = "Cannot connect to the Docker daemon"
    monkeypatch.setenv("DOCKER_HOST", "tcp://192.0.2.1:2375")
    with pytest.raises(ToolMissing, match="does not answer"):
        provide(Source.AUTO, Quiet(), engine.docker)
    assert [words[0] for words in engine.calls] == ["version"]


def test_full_disk_is_reported_before_a_build(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage(0, 0, 7 * GIB))
    with pytest.raises(EnvironmentFault, match="20 GiB"):
        provide(Source.BUILD, Quiet(), engine.docker)


@pytest.mark.usefixtures("engine")
def test_description_of_a_build_names_every_image() -> None:
    facts = pipeline.describe(planned(), "node:1")
    assert {"calico-node", "calico-cni", "nginx", "redis", "toolbox", "coredns", "pause"} <= set(
        facts["refs"]
    )
    assert "imageRepository: localhost/policylab" in facts["kubeadm_patch"]


def test_bundle_holds_what_a_build_leaves() -> None:
    assert LAB_ARCHIVE in bundle.CONTENT


@pytest.mark.usefixtures("engine")
def test_official_route_makes_lab_images_of_the_same_recipe() -> None:
    recipe = planned().recipes["nginx"]
    [image] = recipe.images
    text = official.dockerfile(recipe, image)
    assert "nginx-light" in text
    assert 'ENTRYPOINT ["nginx", "-c", "/etc/nginx/nginx.conf"]' in text
    assert "COPY rootfs/ /" in text


@pytest.mark.usefixtures("engine")
def test_official_route_fills_an_image_with_our_files_and_with_certificates(
    tmp_path: Path,
) -> None:
    recipe = planned().recipes["internet"]
    (tmp_path / "leaf").write_text("leaf")
    official._fill(tmp_path / "rootfs", recipe, {"/etc/policylab/tls/leaf.crt": tmp_path / "leaf"})
    assert (tmp_path / "rootfs/etc/policylab/tls/leaf.crt").read_text() == "leaf"
    assert (tmp_path / "rootfs/etc/policylab/nginx.conf").is_file()


@pytest.fixture
def compiled(engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that would be compiled is there, and the machine has kind and kubectl."""
    engine.online = True
    monkeypatch.setattr(debian, "ensure_go", lambda *_, **__: Path("go"))
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    for name, key in planned().keys.commands.items():
        for part in (f"commands-{name}", f"{name}-crds"):
            with Store(cache_home()).making(part, key, {}) as folder:
                (folder / f"{name}-crds.yaml").write_text("printed")


@pytest.mark.parametrize(("version", "own"), [(f"v{KUBERNETES[0]}.9", True), ("v1.2.0", False)])
@pytest.mark.usefixtures("compiled")
def test_official_route_takes_the_machines_kubectl_within_its_skew_only(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch, version: str, own: bool
) -> None:
    monkeypatch.setattr(official, "kubectl_version", lambda *_: version)

    kubectl = provide(Source.REGISTRY, Quiet(), engine.docker).kubectl

    assert (kubectl == Path("/usr/bin/kubectl")) is own
    assert own or kubectl.parent.name.startswith("commands-kubernetes-")


@pytest.mark.usefixtures("compiled")
def test_official_route_gives_what_a_cluster_needs(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(official, "kubectl_version", lambda *_: "")
    found = provide(Source.REGISTRY, Quiet(), engine.docker)
    assert found.node == official.official_node(planned().recipes)
    assert found.kubeadm_patch is None
    assert set(found.load) == set(found.refs.values()) - {found.refs["internet"]}
    pulled = [words[-1] for words in engine.did("pull")]
    assert pulled == [
        official.official_node(planned().recipes),
        "calico/node:v3.30.1",
        "calico/cni:v3.30.1",
        "quay.io/cilium/cilium:v1.20.2",
        "coredns/coredns:1.15.0",
        "debian:bookworm-slim",
    ]
    assert {cni: parts.crds.is_file() for cni, parts in found.cnis.items()} == {
        "calico": True,
        "cilium": True,
    }


@pytest.mark.usefixtures("compiled")
def test_auto_goes_on_with_the_mirror_of_which_the_cluster_was_made(
    tmp_path: Path, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The verbs that have no option for a mirror use such a cluster again, and remake none."""
    monkeypatch.setattr(official, "kubectl_version", lambda *_: "")
    finished_build(tmp_path, engine)
    mirror = Official("mirror.test:5000/copies", "calico")

    built = provide(Source.AUTO, Quiet(), engine.docker, official=mirror)
    found = provide(Source.AUTO, Quiet(), engine.docker, official=replace(mirror, before_all=True))

    assert built.source is Source.BUILD
    assert (found.source, found.mirror) == (Source.REGISTRY, "mirror.test:5000/copies")
    assert found.node.startswith("mirror.test:5000/copies/kindest/node:")


@pytest.mark.usefixtures("compiled")
def test_mirror_is_asked_for_the_images_of_one_cni_only(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(official, "kubectl_version", lambda *_: "")
    wanted = Official("mirror.test:5000/copies", "cilium")
    found = provide(Source.REGISTRY, Quiet(), engine.docker, official=wanted)
    node = official.official_node(planned().recipes)
    assert [words[-1] for words in engine.did("pull")] == [
        f"mirror.test:5000/copies/{node}",
        "mirror.test:5000/copies/quay.io/cilium/cilium:v1.20.2",
        "mirror.test:5000/copies/coredns/coredns:1.15.0",
        "mirror.test:5000/copies/library/debian:bookworm-slim",
    ]
    assert found.node == f"mirror.test:5000/copies/{node}"
    assert found.kubernetes_version == node.partition(":")[2].partition("@")[0]
    assert found.refs["cilium"] == "mirror.test:5000/copies/quay.io/cilium/cilium:v1.20.2"
    assert found.refs["cilium"] in found.load
    assert set(found.cnis) == {"cilium"}
