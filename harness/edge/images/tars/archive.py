"""Writes images as one archive for Docker and containerd, without an engine.

The format is that of `docker save`: a list of images, each with its settings and its layers. The
archive has a layer that several images share only once.
"""

from __future__ import annotations

import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.edge.images.tars.layers import EPOCH, file_digest

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
CREATED = "2025-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Image:
    """An image to write.

    Attributes:
        refs: its full names.
        layers: its layers, the lowest first.
        config: how it starts (entry point, user, environment and so on).
        labels: its labels.
    """

    refs: tuple[str, ...]
    layers: tuple[Path, ...]
    config: Mapping[str, Any]
    labels: Mapping[str, str]


def write_archive(target: Path, images: Sequence[Image]) -> None:
    """Write all images into one archive."""
    digests = {path: file_digest(path) for image in images for path in image.layers}
    names = {path: f"{digest}/layer.tar" for path, digest in digests.items()}
    with tarfile.open(target, "w") as archive:
        for name, path in {name: path for path, name in names.items()}.items():
            _add_file(archive, name, path)
        manifest = []
        for image in images:
            settings = _settings(image, [digests[path] for path in image.layers])
            name = f"{hashlib.sha256(settings).hexdigest()}.json"
            _add_bytes(archive, name, settings)
            manifest.append(
                {
                    "Config": name,
                    "RepoTags": list(image.refs),
                    "Layers": [names[path] for path in image.layers],
                }
            )
        _add_bytes(archive, "manifest.json", json.dumps(manifest).encode())


def _settings(image: Image, layers: Sequence[str]) -> bytes:
    words = {
        "entrypoint": "Entrypoint",
        "cmd": "Cmd",
        "stop_signal": "StopSignal",
        "user": "User",
    }
    config = {words[key]: value for key, value in image.config.items() if key in words}
    config["Env"] = [PATH, *image.config.get("env", ())]
    config["Labels"] = dict(image.labels)
    machine = platform.machine()
    return json.dumps(
        {
            "architecture": ARCHITECTURES.get(machine, machine),
            "os": "linux",
            "created": CREATED,
            "config": config,
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}" for digest in layers]},
            "history": [{"created": CREATED, "created_by": "policylab"} for _ in layers],
        },
        sort_keys=True,
    ).encode()


def _add_file(archive: tarfile.TarFile, name: str, path: Path) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mtime = path.stat().st_size, EPOCH
    with path.open("rb") as content:
        archive.addfile(entry, content)


def _add_bytes(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mtime = len(data), EPOCH
    archive.addfile(entry, io.BytesIO(data))
