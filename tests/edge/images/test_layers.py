"""Layers and archives: what stands in them, byte for byte the same each time."""

import io
import json
import tarfile
from pathlib import Path

from harness.edge.images.tars.archive import Image, write_archive
from harness.edge.images.tars.layers import file_digest, write_difference, write_files


def root(path: Path, files: dict[str, str], links: dict[str, str] | None = None) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            tar.addfile(entry, io.BytesIO(text.encode()))
        for name, goal in (links or {}).items():
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = tarfile.LNKTYPE, goal
            tar.addfile(entry)
    return path


def content(path: Path) -> dict[str, str | None]:
    with tarfile.open(path) as tar:
        found = {}
        for entry in tar:
            source = tar.extractfile(entry)
            found[entry.name] = source.read().decode() if source else None
        return found


def test_difference_holds_what_is_new_or_changed(tmp_path: Path) -> None:
    base = root(tmp_path / "base.tar", {"./same": "1", "./status": "old"})
    full = root(tmp_path / "full.tar", {"./same": "1", "./status": "new", "./added": "2"})
    write_difference(base, full, tmp_path / "layer.tar")
    assert content(tmp_path / "layer.tar") == {"./status": "new", "./added": "2"}


def test_difference_removes_what_is_gone(tmp_path: Path) -> None:
    base = tmp_path / "base.tar"
    with tarfile.open(base, "w") as tar:
        folder = tarfile.TarInfo("./etc")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o755
        tar.addfile(folder)
        tar.addfile(tarfile.TarInfo("./etc/gone"))
    full = tmp_path / "full.tar"
    with tarfile.open(full, "w") as tar:
        tar.addfile(folder)
    write_difference(base, full, tmp_path / "layer.tar")
    assert content(tmp_path / "layer.tar") == {"etc/.wh.gone": ""}


def test_hard_link_to_a_file_of_the_base_becomes_a_file(tmp_path: Path) -> None:
    base = root(tmp_path / "base.tar", {"./perl": "same"})
    full = root(tmp_path / "full.tar", {"./perl": "same"}, {"./perl5": "./perl"})
    write_difference(base, full, tmp_path / "layer.tar")
    assert content(tmp_path / "layer.tar") == {"./perl5": "same"}


def test_files_layer_is_the_same_twice(tmp_path: Path) -> None:
    tool = tmp_path / "tool"
    tool.write_text("#!/bin/sh\n")
    tool.chmod(0o755)
    for name in ("one.tar", "two.tar"):
        write_files(tmp_path / name, {"/usr/bin/tool": tool}, {"/bin/t": "/usr/bin/tool"})
        tool.touch()
    assert file_digest(tmp_path / "one.tar") == file_digest(tmp_path / "two.tar")
    with tarfile.open(tmp_path / "one.tar") as layer:
        assert layer.getnames() == ["bin", "usr", "usr/bin", "usr/bin/tool", "bin/t"]
        assert layer.getmember("usr/bin/tool").mode == 0o755
        assert layer.getmember("bin/t").linkname == "/usr/bin/tool"


def test_archive_holds_a_shared_layer_once(tmp_path: Path) -> None:
    shared = root(tmp_path / "shared.tar", {"./a": "1"})
    images = [
        Image((f"localhost/policylab/{name}:lab",), (shared,), {"cmd": [name]}, {"k": "v"})
        for name in ("one", "two")
    ]
    write_archive(tmp_path / "images.tar", images)
    names = list(content(tmp_path / "images.tar"))
    assert sum(name.endswith("layer.tar") for name in names) == 1
    manifest = json.loads(content(tmp_path / "images.tar")["manifest.json"] or "")
    assert [image["RepoTags"] for image in manifest] == [list(image.refs) for image in images]


def test_archive_states_how_an_image_starts(tmp_path: Path) -> None:
    layer = root(tmp_path / "layer.tar", {"./a": "1"})
    config = {"entrypoint": ["nginx"], "env": ["A=b"], "stop_signal": "SIGQUIT", "user": "1:1"}
    write_archive(tmp_path / "images.tar", [Image(("x:1",), (layer,), config, {})])
    found = content(tmp_path / "images.tar")
    [described] = json.loads(found["manifest.json"] or "")
    settings = json.loads(found[described["Config"]] or "")
    assert settings["config"]["Entrypoint"] == ["nginx"]
    assert settings["config"]["StopSignal"] == "SIGQUIT"
    assert settings["config"]["User"] == "1:1"
    assert "A=b" in settings["config"]["Env"]
    assert settings["rootfs"]["diff_ids"] == [f"sha256:{file_digest(layer)}"]
