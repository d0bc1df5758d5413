"""Where images come from: the order of `auto`, and what each source says when it has none."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.edge.images import Source, bundle, pipeline, provide, registry
from harness.edge.images.build import Builder
from harness.edge.images.engine import _drop_others, missing
from harness.edge.images.store import Store, cache_home
from harness.edge.machine import debian
from harness.edge.machine.process import Completed
from harness.errors import EnvironmentFault, ImageUnavailable, ToolMissing
from harness.progress import Quiet


class Engine:
    """A Docker engine that holds images, and a registry that answers or does not."""

    def __init__(self) -> None:
        self.images: set[str] = set()
        self.online = False
        self.listed = ""
        self.calls: list[list[str]] = []

    def run(self, argv: list[str | Path], **_: object) -> Completed:
        words = [str(word) for word in argv]
        self.calls.append(words)
        match words[1:3]:
            case ["image", "inspect"]:
                code = 0 if words[-1] in self.images else 1
            case ["manifest", "inspect"]:
                code = 0 if self.online else 1
            case _:
                code = 0
        said = self.listed if words[1:3] == ["image", "ls"] else ""
        return Completed(tuple(words), code, said, "", 0.0)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Engine:
    fake = Engine()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("harness.edge.images.node.run", fake.run)
    monkeypatch.setattr("harness.edge.images.registry.run", fake.run)
    monkeypatch.setattr("harness.edge.images.engine.run", fake.run)
    monkeypatch.setattr(debian, "ensure_engine", lambda *_, **__: "26.1.5")
    monkeypatch.setattr(debian, "raise_inotify_limits", lambda *_: None)
    return fake


@pytest.fixture
def routes(monkeypatch: pytest.MonkeyPatch, engine: Engine) -> list[str]:
    """Note which slow route was taken, instead of taking it."""
    taken: list[str] = []

    def note(name: str) -> Callable[..., object]:
        def take(*_: object) -> object:
            taken.append(name)
            raise KeyError(name)

        return take

    monkeypatch.setattr(pipeline, "make_cluster", note("build"))
    monkeypatch.setattr(registry, "provide_official", note("registry"))
    return taken


def planned() -> pipeline.Plan:
    return pipeline.plan(Store(cache_home()), Quiet())


def describe(home: Path, node: str) -> None:
    home.mkdir(parents=True)
    facts = {
        "node": node,
        "refs": {"nginx": "localhost/policylab/nginx:lab"},
        "kubernetes_version": "v1",
        "cni_versions": {"calico": "v2", "cilium": "v3"},
        "image_repository": "localhost/policylab",
        "kubeadm_patch": "kind: ClusterConfiguration\n",
    }
    (home / "cluster.json").write_text(json.dumps(facts))
    (home / "record.json").write_text("{}")


def finished_build(tmp_path: Path, engine: Engine) -> str:
    key = planned().keys.cluster
    node = f"localhost/policylab/node:{key}"
    describe(tmp_path / "policylab" / "artefacts" / f"cluster-{key}", node)
    engine.images |= {node, beside()}
    return node


def beside() -> str:
    return f"localhost/policylab/internet:{planned().keys.images['internet']}"


def test_auto_takes_the_finished_build(tmp_path: Path, engine: Engine, routes: list[str]) -> None:
    engine.online = True
    node = finished_build(tmp_path, engine)
    found = provide(Source.AUTO, Quiet())
    assert (found.node, found.source) == (node, Source.BUILD)
    assert found.kubeadm_patch == "kind: ClusterConfiguration\n"
    assert found.kubectl.name == "kubectl"
    assert found.refs["internet"] == "localhost/policylab/internet:lab"
    assert ["docker", "tag", beside(), found.refs["internet"]] in engine.calls
    assert routes == []


def test_image_beside_the_cluster_is_made_without_making_the_cluster(
    tmp_path: Path, engine: Engine, routes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    node = finished_build(tmp_path, engine)
    engine.images.remove(beside())
    given: list[set[str]] = []
    monkeypatch.setattr(
        "harness.edge.images.engine.give", lambda _, todo, __: given.append(missing(todo))
    )
    assert provide(Source.AUTO, Quiet()).node == node
    assert given == [{"internet"}]
    assert routes == []


def test_superseded_image_beside_the_cluster_is_dropped(engine: Engine) -> None:
    kept, old = beside(), "localhost/policylab/internet:old"
    engine.listed = f"{kept}\n{old}\nlocalhost/policylab/internet:lab\n"
    _drop_others("internet", kept)
    assert [words[-1] for words in engine.calls if words[1:3] == ["image", "rm"]] == [old]


def test_bundle_brings_its_own_image_beside_the_cluster(
    tmp_path: Path, engine: Engine, routes: list[str]
) -> None:
    home = tmp_path / "policylab" / "bundle"
    describe(home, "localhost/policylab/node:bundled")
    facts = json.loads((home / "cluster.json").read_text())
    facts["engine"] = {"internet": "localhost/policylab/internet:bundled"}
    (home / "cluster.json").write_text(json.dumps(facts))
    engine.images |= {facts["node"], facts["engine"]["internet"]}
    found = provide(Source.BUNDLE, Quiet())
    assert found.refs["internet"] == "localhost/policylab/internet:lab"
    assert engine.calls[-1][1:3] == ["tag", "localhost/policylab/internet:bundled"]


def test_auto_takes_the_loaded_bundle_before_the_registry(
    tmp_path: Path, engine: Engine, routes: list[str]
) -> None:
    engine.online = True
    describe(tmp_path / "policylab" / "bundle", "localhost/policylab/node:bundled")
    engine.images.add("localhost/policylab/node:bundled")
    assert provide(Source.AUTO, Quiet()).source is Source.BUNDLE
    assert routes == []


@pytest.mark.parametrize(("online", "route"), [(True, "registry"), (False, "build")])
def test_auto_with_nothing_cached_asks_the_registry_then_builds(
    engine: Engine, routes: list[str], online: bool, route: str
) -> None:
    engine.online = online
    with pytest.raises(KeyError):
        provide(Source.AUTO, Quiet())
    assert routes == [route]


def test_build_whose_node_image_the_engine_lost_is_built_again(
    tmp_path: Path, engine: Engine, routes: list[str]
) -> None:
    finished_build(tmp_path, engine)
    engine.images.clear()
    with pytest.raises(KeyError):
        provide(Source.BUILD, Quiet())
    assert routes == ["build"]


def test_build_never_uses_a_bundle(tmp_path: Path, engine: Engine, routes: list[str]) -> None:
    describe(tmp_path / "policylab" / "bundle", "localhost/policylab/node:bundled")
    engine.images.add("localhost/policylab/node:bundled")
    with pytest.raises(KeyError):
        provide(Source.BUILD, Quiet())
    assert routes == ["build"]


def test_bundle_that_is_not_loaded_says_how_to_load_it(engine: Engine) -> None:
    with pytest.raises(ImageUnavailable, match="policylab images load FILE"):
        provide(Source.BUNDLE, Quiet())


def test_official_node_image_is_pinned_by_digest() -> None:
    assert "@sha256:" in registry.NODE
    assert len(registry.NODE.rpartition(":")[2]) == 64


def test_registry_is_asked_for_seconds_only(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[object] = []

    def slow(_: object, *, timeout: float, **__: object) -> Completed:
        seen.append(timeout)
        return Completed((), 1, "", "", 0.0)

    monkeypatch.setattr(registry, "run", slow)
    assert registry.registry_answers() is False
    assert seen == [5.0]


def test_no_engine_is_reported_before_anything_is_read(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: object, **__: object) -> str:
        raise ToolMissing("no engine")

    monkeypatch.setattr(debian, "ensure_engine", missing)
    with pytest.raises(ToolMissing):
        provide(Source.AUTO, Quiet())


def test_full_disk_is_reported_before_a_build(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise EnvironmentFault("building images needs 20 GiB of free disk")

    monkeypatch.setattr(debian, "ensure_disk", full)
    with pytest.raises(EnvironmentFault, match="20 GiB"):
        provide(Source.BUILD, Quiet())


@pytest.mark.usefixtures("engine")
def test_description_of_a_build_names_every_image() -> None:
    facts = pipeline.describe(planned(), "node:1")
    assert {"calico-node", "calico-cni", "nginx", "redis", "toolbox", "coredns", "pause"} <= set(
        facts["refs"]
    )
    assert "imageRepository: localhost/policylab" in facts["kubeadm_patch"]


def test_bundle_holds_what_a_build_leaves() -> None:
    assert pipeline.LAB_ARCHIVE in bundle.CONTENT


@pytest.mark.usefixtures("engine")
def test_official_route_makes_lab_images_of_the_same_recipe() -> None:
    recipe = planned().recipes["nginx"]
    [image] = recipe.images
    text = registry.dockerfile(recipe, image)
    assert "nginx-light" in text
    assert 'ENTRYPOINT ["nginx", "-c", "/etc/nginx/nginx.conf"]' in text
    assert "COPY rootfs/ /" in text


@pytest.mark.usefixtures("engine")
def test_official_route_fills_an_image_with_our_files_and_with_certificates(
    tmp_path: Path,
) -> None:
    recipe = planned().recipes["internet"]
    (tmp_path / "leaf").write_text("leaf")
    registry._fill(tmp_path / "rootfs", recipe, {"/etc/policylab/tls/leaf.crt": tmp_path / "leaf"})
    assert (tmp_path / "rootfs/etc/policylab/tls/leaf.crt").read_text() == "leaf"
    assert (tmp_path / "rootfs/etc/policylab/nginx.conf").is_file()


def test_official_route_gives_what_a_cluster_needs(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(debian, "ensure_go", lambda *_, **__: Path("go"))
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    compiled = tmp_path / "compiled"
    compiled.mkdir()
    monkeypatch.setattr(Builder, "commands", lambda *_: compiled)
    found = provide(Source.REGISTRY, Quiet())
    assert found.node == registry.NODE
    assert found.kubeadm_patch is None
    assert set(found.load) == set(found.refs.values()) - {found.refs["internet"]}
    pulled = [words[-1] for words in engine.calls if words[1] == "pull"]
    assert pulled == [
        registry.NODE,
        "calico/node:v3.30.1",
        "calico/cni:v3.30.1",
        "cilium/cilium:v1.20.2",
    ]
    assert {cni: parts.crds.is_file() for cni, parts in found.cnis.items()} == {
        "calico": True,
        "cilium": True,
    }
