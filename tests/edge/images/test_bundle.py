"""A bundle is checked to the last byte before anything in it is used."""

import io
import json
import tarfile
from collections.abc import Collection, Mapping
from hashlib import sha256
from pathlib import Path

import pytest
import zstandard

from harness.edge.cluster.lane import KUBERNETES
from harness.edge.images.export import bundle
from harness.edge.images.store import Store, Workshop
from harness.errors import ImageUnavailable
from harness.progress import Quiet
from tests.fakes.docker import FakeEngine

NODE = "localhost/policylab/node:abc"
BESIDE = {"internet": "localhost/policylab/internet:def"}


@pytest.fixture
def engine() -> FakeEngine:
    fake = FakeEngine()
    fake.images = dict.fromkeys((NODE, *BESIDE.values()), "1")
    return fake


def shop(engine: FakeEngine, root: Path) -> Workshop:
    return Workshop(Store(root), engine.docker, Quiet())


@pytest.fixture
def cluster(tmp_path: Path) -> Path:
    home = tmp_path / "cluster"
    home.mkdir()
    for name in (*bundle.CONTENT, "made-up-crds.yaml"):
        (home / name).write_text(f"content of {name}\n" * 1000)
    (home / "cluster.json").write_text(
        json.dumps(
            {
                "node": NODE,
                "kubernetes_version": f"v{KUBERNETES[0]}.1",
                "cni_versions": {"made-up": "v1"},
            }
        )
    )
    return home


@pytest.fixture
def good(cluster: Path, tmp_path: Path, engine: FakeEngine) -> Path:
    bundle.pack(cluster, BESIDE, tmp_path / "good.bundle", shop(engine, tmp_path))
    return tmp_path / "good.bundle"


def make(path: Path, members: Mapping[str, bytes], facts: object = None) -> Path:
    """Write a bundle by hand, with right checksums unless told otherwise."""
    if facts is None:
        files = {name: sha256(data).hexdigest() for name, data in members.items()}
        facts = {"format": "policylab-bundle", "version": 2, "files": files}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, data in {"manifest.json": json.dumps(facts).encode(), **members}.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return compress(path, buffer.getvalue())


def compress(path: Path, data: bytes) -> Path:
    path.write_bytes(zstandard.compress(data))
    return path


def refused(path: Path, home: Path, engine: FakeEngine | None = None) -> str:
    with pytest.raises(ImageUnavailable) as caught:
        bundle.install(path, lambda *_: home, shop(engine or FakeEngine(), home.parent))
    assert not home.exists()
    return str(caught.value)


def test_bundle_comes_back_as_it_was_saved(
    good: Path, cluster: Path, tmp_path: Path, engine: FakeEngine
) -> None:
    home = tmp_path / "cache" / "bundle"
    bundle.install(good, lambda *_: home, shop(engine, tmp_path))
    for name in ("kind", "made-up-crds.yaml"):
        assert (home / name).read_text() == (cluster / name).read_text()
    assert (home / "kind").stat().st_mode & 0o111
    assert [words[0] for words in engine.calls if words[0] != "image"] == ["save", "load"]
    assert engine.calls[0][-2:] == [NODE, BESIDE["internet"]]
    assert bundle.engine_images(home) == BESIDE
    assert bundle.loaded_bundle(home, engine.docker) == home


def test_bundle_whose_image_beside_the_cluster_is_gone_is_not_loaded(
    good: Path, tmp_path: Path, engine: FakeEngine
) -> None:
    home = tmp_path / "bundle"
    bundle.install(good, lambda *_: home, shop(engine, tmp_path))
    del engine.images[BESIDE["internet"]]
    assert bundle.loaded_bundle(home, engine.docker) is None


def test_truncated_bundle_is_refused(good: Path, tmp_path: Path, engine: FakeEngine) -> None:
    data = good.read_bytes()
    good.write_bytes(data[: len(data) // 2])
    assert str(good) in refused(good, tmp_path / "bundle", engine)
    assert not engine.did("load")


def test_changed_byte_is_refused(good: Path, tmp_path: Path, engine: FakeEngine) -> None:
    with zstandard.open(good) as packed:
        plain = packed.read()
    bad = compress(tmp_path / "bad", plain.replace(b"content of kubectl", b"content of kubectI", 1))
    assert "kubectl does not have the checksum" in refused(bad, tmp_path / "bundle", engine)
    assert not engine.did("load")


def test_foreign_file_is_refused(tmp_path: Path) -> None:
    foreign = tmp_path / "foreign"
    foreign.write_bytes(b"not a bundle at all" * 100)
    message = refused(foreign, tmp_path / "bundle")
    assert "not a complete and unchanged bundle" in message
    assert "policylab images save" in message


def test_missing_file_is_named(tmp_path: Path) -> None:
    assert "no such file" in refused(tmp_path / "none", tmp_path / "bundle")


def test_incomplete_bundle_is_refused(tmp_path: Path) -> None:
    path = make(tmp_path / "b", {"kind": b"1"})
    assert "cluster.json is missing" in refused(path, tmp_path / "bundle")


@pytest.mark.parametrize(
    ("cnis", "files"), [({}, ["made-up-crds.yaml"]), ({"made-up": "v1"}, [])], ids=["extra", "none"]
)
def test_definitions_that_the_description_does_not_name_are_refused(
    tmp_path: Path, cnis: dict[str, str], files: list[str]
) -> None:
    members = dict.fromkeys((*bundle.CONTENT, *files), b"1")
    members["cluster.json"] = json.dumps({"cni_versions": cnis}).encode()
    message = refused(make(tmp_path / "b", members), tmp_path / "bundle")
    assert "made-up-crds.yaml and cluster.json do not fit together" in message


@pytest.mark.parametrize(
    "name",
    ["../escape", "/etc/passwd", "kind/../../escape", "other", "../x-crds.yaml", "x/crds.yaml"],
)
def test_path_that_a_bundle_may_not_hold_is_refused(tmp_path: Path, name: str) -> None:
    path = make(tmp_path / "b", {name: b"1"})
    assert "is not a file of a bundle" in refused(path, tmp_path / "bundle")
    assert not (tmp_path / "escape").exists()


def test_link_is_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        entry = tarfile.TarInfo("kind")
        entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(entry)
    path = compress(tmp_path / "b", buffer.getvalue())
    assert "not a plain file" in refused(path, tmp_path / "bundle")


@pytest.mark.parametrize(
    "facts",
    [
        {"format": "other", "version": 2, "files": {}},
        {"format": "policylab-bundle", "version": 1, "files": {}},
        {"format": "policylab-bundle", "version": 2},
        [],
    ],
)
def test_manifest_of_another_format_is_refused(tmp_path: Path, facts: object) -> None:
    refused(make(tmp_path / "b", {}, facts), tmp_path / "bundle")


def test_bundle_that_begins_with_something_else_is_refused(
    tmp_path: Path,
) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("kind"))
    path = compress(tmp_path / "b", buffer.getvalue())
    assert "it begins with 'kind'" in refused(path, tmp_path / "bundle")


def test_refused_bundle_leaves_the_loaded_one(
    good: Path, tmp_path: Path, engine: FakeEngine
) -> None:
    home = tmp_path / "cache" / "bundle"
    bundle.install(good, lambda *_: home, shop(engine, tmp_path))
    bad = tmp_path / "bad"
    bad.write_bytes(b"rubbish")
    with pytest.raises(ImageUnavailable):
        bundle.install(bad, lambda *_: home, shop(engine, tmp_path))
    assert bundle.loaded_bundle(home, engine.docker) == home


def test_loaded_bundle_whose_image_is_gone_is_none(
    good: Path, tmp_path: Path, engine: FakeEngine
) -> None:
    home = tmp_path / "cache" / "bundle"
    bundle.install(good, lambda *_: home, shop(engine, tmp_path))
    engine.images.clear()
    assert bundle.loaded_bundle(home, engine.docker) is None


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"kubernetes_version": "v1.2.3"}, "it has Kubernetes 1.2"),
        ({}, "lacks 'kubernetes_version'"),
    ],
)
def test_bundle_with_a_version_that_is_not_here_is_refused(
    cluster: Path, tmp_path: Path, engine: FakeEngine, facts: dict[str, str], words: str
) -> None:
    described = {"node": NODE, "cni_versions": {"made-up": "v1"}, **facts}
    (cluster / "cluster.json").write_text(json.dumps(described))
    bundle.pack(cluster, BESIDE, tmp_path / "old", shop(engine, tmp_path))

    assert words in refused(tmp_path / "old", tmp_path / "bundle", engine)


def test_bundle_goes_to_the_place_of_its_version(
    good: Path, tmp_path: Path, engine: FakeEngine
) -> None:
    has = {"kubernetes": KUBERNETES[0]}
    place = tmp_path / "right"

    def home(found: Mapping[str, str], cnis: Collection[str]) -> Path:
        return place if (found, [*cnis]) == (has, ["made-up"]) else tmp_path / "wrong"

    assert bundle.install(good, home, shop(engine, tmp_path)) == (has, ["made-up"])
    assert bundle.loaded_bundle(place, engine.docker, has)
    assert bundle.loaded_bundle(place, engine.docker, {"kubernetes": "1.2"}) is None


def test_loaded_bundle_without_the_wanted_cni_is_none(
    good: Path, tmp_path: Path, engine: FakeEngine
) -> None:
    home = tmp_path / "cache" / "bundle"
    bundle.install(good, lambda *_: home, shop(engine, tmp_path))

    assert bundle.loaded_bundle(home, engine.docker, cni="made-up") == home
    assert bundle.loaded_bundle(home, engine.docker, cni="calico") is None
