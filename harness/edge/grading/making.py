"""A new assignment on disk: a copy of another, or one that is proposed from a folder."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import yaml

from harness.core.grading.proposal import kinds_of, proposed, split
from harness.core.grading.reading import FILE
from harness.core.manifests.library import in_force
from harness.core.manifests.reader import Resource
from harness.edge.cni.known import PROFILES
from harness.edge.files.library import read
from harness.edge.grading.assignments import REFERENCE, TASK, WORKLOADS, shipped
from harness.errors import ContentError

_PARTS = (FILE, TASK, f"{WORKLOADS}.yaml", WORKLOADS, f"{REFERENCE}.yaml", REFERENCE)


def new_assignment(folder: Path, source: str) -> None:
    """Make the folder of an assignment from another assignment, or from workloads and policies.

    Raises:
        ContentError: the folder is there already, or the source is neither.
    """
    if folder.exists():
        raise ContentError(
            "there is such a folder already", where=str(folder), try_="choose another name"
        )
    origin = shipped().get(source, Path(source))
    if not origin.is_dir():
        raise ContentError(
            f"`{source}` is neither an assignment nor a folder",
            seen=f"shipped: {', '.join(shipped())}",
        )
    if (origin / FILE).is_file():
        folder.mkdir(parents=True)
        for part in _PARTS:
            _copy(origin / part, folder / part)
        return
    library = read(origin)
    workloads, policies = split(in_force(library, list(library)))
    kinds = kinds_of(policies)
    cnis = [name for name, profile in PROFILES.items() if kinds <= profile.kinds]
    if not cnis:
        raise ContentError(
            "no CNI that policylab knows enforces all of these policies",
            where=str(origin),
            seen=", ".join(sorted(kinds)),
        )
    text = proposed(folder.name, workloads, policies, cnis)
    folder.mkdir(parents=True)
    for name, content in (
        (FILE, text),
        (TASK, f"# {folder.name}\n\nSay here what must hold, in the words of your course.\n"),
        (f"{WORKLOADS}.yaml", _yaml(workloads)),
        (f"{REFERENCE}.yaml", _yaml(policies)),
    ):
        (folder / name).write_text(content, encoding="utf-8")


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target)
    elif source.is_file():
        shutil.copy(source, target)


def _yaml(resources: Sequence[Resource]) -> str:
    plain = [json.loads(json.dumps(resource.body)) for resource in resources]
    return yaml.safe_dump_all(plain, sort_keys=False, allow_unicode=True)
