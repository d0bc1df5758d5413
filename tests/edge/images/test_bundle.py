"""A bundle is checked to the last byte before anything in it is used."""

import io
import json
import shutil
import subprocess
import tarfile
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import pytest

from harness.edge.images import bundle
from harness.edge.machine.process import Completed
from harness.errors import ImageUnavailable
from harness.progress import Quiet

pytestmark = pytest.mark.skipif(shutil.which("zstd") is None, reason="bundles need zstd")

NODE = "localhost/policylab/node:abc"
BESIDE = {"internet": "localhost/policylab/internet:def"}


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Stand in for Docker: `save` writes a file, `load` is noted."""
    calls: list[list[str]] = []

    def run(argv: list[str | Path], **_: object) -> Completed:
        words = [str(word) for word in argv]
        calls.append(words)
        if words[1] == "save":
            Path(words[words.index("--output") + 1]).write_text("node image")
        return Completed(tuple(words), 0, "", "", 0.0)

    monkeypatch.setattr(bundle, "run", run)
    monkeypatch.setattr(bundle, "engine_has", lambda ref: ref in {NODE, *BESIDE.values()})
    return calls


@pytest.fixture
def cluster(tmp_path: Path) -> Path:
    home = tmp_path / "cluster"
    home.mkdir()
    for name in (*bundle.CONTENT, "made-up-crds.yaml"):
        (home / name).write_text(f"content of {name}\n" * 1000)
    (home / "cluster.json").write_text(
        json.dumps({"node": NODE, "cni_versions": {"made-up": "v1"}})
    )
    return home


@pytest.fixture
def good(cluster: Path, tmp_path: Path, engine: list[list[str]]) -> Path:
    bundle.pack(cluster, BESIDE, tmp_path / "good.bundle", Quiet())
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
    argv = ["zstd", "-q", "-f", "-o", str(path)]
    subprocess.run(argv, input=data, check=True, timeout=30)
    return path


def refused(path: Path, home: Path) -> str:
    with pytest.raises(ImageUnavailable) as caught:
        bundle.install(path, home, Quiet())
    assert not home.exists()
    return str(caught.value)


def test_bundle_comes_back_as_it_was_saved(
    good: Path, cluster: Path, tmp_path: Path, engine: list[list[str]]
) -> None:
    home = tmp_path / "cache" / "bundle"
    bundle.install(good, home, Quiet())
    for name in ("kind", "made-up-crds.yaml"):
        assert (home / name).read_text() == (cluster / name).read_text()
    assert (home / "kind").stat().st_mode & 0o111
    assert [words[1] for words in engine] == ["save", "load"]
    assert engine[0][-2:] == [NODE, BESIDE["internet"]]
    assert bundle.engine_images(home) == BESIDE
    assert bundle.loaded_bundle(home) == home


def test_bundle_whose_image_beside_the_cluster_is_gone_is_not_loaded(
    good: Path, tmp_path: Path, engine: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "bundle"
    bundle.install(good, home, Quiet())
    monkeypatch.setattr(bundle, "engine_has", lambda ref: ref == NODE)
    assert bundle.loaded_bundle(home) is None


def test_truncated_bundle_is_refused(good: Path, tmp_path: Path, engine: list[list[str]]) -> None:
    data = good.read_bytes()
    good.write_bytes(data[: len(data) // 2])
    assert str(good) in refused(good, tmp_path / "bundle")
    assert "load" not in [words[1] for words in engine]


def test_changed_byte_is_refused(good: Path, tmp_path: Path, engine: list[list[str]]) -> None:
    plain = subprocess.run(["zstd", "-dc", good], capture_output=True, check=True).stdout
    bad = compress(tmp_path / "bad", plain.replace(b"content of kubectl", b"content of kubectI", 1))
    assert "kubectl does not have the checksum" in refused(bad, tmp_path / "bundle")
    assert "load" not in [words[1] for words in engine]


def test_foreign_file_is_refused(tmp_path: Path, engine: list[list[str]]) -> None:
    foreign = tmp_path / "foreign"
    foreign.write_bytes(b"not a bundle at all" * 100)
    message = refused(foreign, tmp_path / "bundle")
    assert "not a bundle that can be trusted" in message
    assert "policylab images save" in message


def test_missing_file_is_named(tmp_path: Path, engine: list[list[str]]) -> None:
    assert "no such file" in refused(tmp_path / "none", tmp_path / "bundle")


def test_incomplete_bundle_is_refused(tmp_path: Path, engine: list[list[str]]) -> None:
    path = make(tmp_path / "b", {"kind": b"1"})
    assert "cluster.json is missing" in refused(path, tmp_path / "bundle")


@pytest.mark.parametrize(
    ("cnis", "files"), [({}, ["made-up-crds.yaml"]), ({"made-up": "v1"}, [])], ids=["extra", "none"]
)
def test_definitions_that_the_description_does_not_name_are_refused(
    tmp_path: Path, engine: list[list[str]], cnis: dict[str, str], files: list[str]
) -> None:
    members = dict.fromkeys((*bundle.CONTENT, *files), b"1")
    members["cluster.json"] = json.dumps({"cni_versions": cnis}).encode()
    message = refused(make(tmp_path / "b", members), tmp_path / "bundle")
    assert "made-up-crds.yaml and cluster.json do not fit together" in message


@pytest.mark.parametrize(
    "name",
    ["../escape", "/etc/passwd", "kind/../../escape", "other", "../x-crds.yaml", "x/crds.yaml"],
)
def test_path_that_a_bundle_may_not_hold_is_refused(
    tmp_path: Path, engine: list[list[str]], name: str
) -> None:
    path = make(tmp_path / "b", {name: b"1"})
    assert "is not a file that a bundle may hold" in refused(path, tmp_path / "bundle")
    assert not (tmp_path / "escape").exists()


def test_link_is_refused(tmp_path: Path, engine: list[list[str]]) -> None:
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
def test_manifest_of_another_format_is_refused(
    tmp_path: Path, engine: list[list[str]], facts: object
) -> None:
    refused(make(tmp_path / "b", {}, facts), tmp_path / "bundle")


def test_bundle_that_begins_with_something_else_is_refused(
    tmp_path: Path, engine: list[list[str]]
) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("kind"))
    path = compress(tmp_path / "b", buffer.getvalue())
    assert "it begins with 'kind'" in refused(path, tmp_path / "bundle")


def test_refused_bundle_leaves_the_loaded_one(
    good: Path, tmp_path: Path, engine: list[list[str]]
) -> None:
    home = tmp_path / "cache" / "bundle"
    bundle.install(good, home, Quiet())
    bad = tmp_path / "bad"
    bad.write_bytes(b"rubbish")
    with pytest.raises(ImageUnavailable):
        bundle.install(bad, home, Quiet())
    assert bundle.loaded_bundle(home) == home


def test_loaded_bundle_whose_image_is_gone_is_none(
    good: Path, tmp_path: Path, engine: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "cache" / "bundle"
    bundle.install(good, home, Quiet())
    monkeypatch.setattr(bundle, "engine_has", lambda _: False)
    assert bundle.loaded_bundle(home) is None
