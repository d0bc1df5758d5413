"""A tutorial's manifests, read from its folder."""

from __future__ import annotations

from pathlib import Path

from harness.core.manifests.reader import Resource, parse
from harness.errors import ContentError

MAX_BYTES = 64 * 1024


def load(folder: Path) -> dict[str, tuple[Resource, ...]]:
    """Every manifest of the folder, by file name without `.yaml`.

    Raises:
        ContentError: there is no such folder, or a file is too large to be a manifest.
        ManifestError: a file holds something that policylab does not know.
    """
    paths = sorted(folder.glob("*.yaml"))
    if not paths:
        raise ContentError(
            "the tutorial has no manifests",
            where=str(folder),
            try_="one policy step a file, NN-name.yaml",
        )
    return {path.stem: _read(path) for path in paths}


def _read(path: Path) -> tuple[Resource, ...]:
    if path.stat().st_size > MAX_BYTES:
        raise ContentError(
            f"{path.name} is over {MAX_BYTES} bytes",
            where=str(path),
            try_="manifests of labs are short: split it",
        )
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ContentError(
            f"{path.name} is no UTF-8 text", where=str(path), seen=str(error)
        ) from error
    return parse(text, origin=f"{path.parent.name}/{path.name}")
