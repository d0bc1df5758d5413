"""The cases that policylab ships, and those in a folder of somebody else's."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from harness.core.conformance.case import Case, Cast
from harness.core.conformance.deviations import Deviation, read_deviations
from harness.core.conformance.reading import MAX_BYTES, read_case, read_topology
from harness.errors import ContentError

CASES, TOPOLOGIES, DEVIATIONS = "cases", "topologies", "deviations"
MAX_CASES = 2_000
SUFFIX = ".yaml"


@cache
def shipped() -> tuple[Case, ...]:
    """The cases of policylab, in the order of their names."""
    home = files(__package__)
    return _cases(home / CASES, _topologies(home / TOPOLOGIES), "the shipped case")


def cases_in(folder: Path) -> tuple[Case, ...]:
    """The cases of a folder and its folders; they may use the shipped topologies, and its own.

    Raises:
        ContentError: there is no case, or one is not of its form.
    """
    topologies = _topologies(files(__package__) / TOPOLOGIES)
    if (folder / TOPOLOGIES).is_dir():
        topologies |= _topologies(folder / TOPOLOGIES)
    found = _cases(folder, topologies, "the case")
    if not found:
        raise ContentError("there is no case", where=str(folder), try_=f"a case is a {SUFFIX} file")
    return found


def deviations_of(cni: str) -> tuple[Deviation, ...]:
    """What policylab's own CNIs are known not to pass, each with its evidence; else none."""
    file = files(__package__) / DEVIATIONS / f"{cni}{SUFFIX}"
    return read_deviations(_text(file), origin=str(file)) if file.is_file() else ()


def _topologies(home: Traversable) -> dict[str, Cast]:
    return {name: read_topology(_text(file), origin=str(file)) for name, file in _files(home, "")}


def _cases(home: Traversable, topologies: dict[str, Cast], what: str) -> tuple[Case, ...]:
    found = [
        read_case(name, _text(file), topologies, origin=f"{what} {name}")
        for name, file in _files(home, "")
        if not name.startswith(f"{TOPOLOGIES}/")
    ]
    if len(found) > MAX_CASES:
        seen = str(len(found))
        raise ContentError(f"there are more than {MAX_CASES} cases", where=str(home), seen=seen)
    return tuple(found)


def _files(home: Traversable, before: str) -> list[tuple[str, Traversable]]:
    """The YAML files of a folder and its folders, by their names without the suffix."""
    found: list[tuple[str, Traversable]] = []
    for each in sorted(home.iterdir(), key=lambda one: one.name):
        if each.is_dir():
            found += _files(each, f"{before}{each.name}/")
        elif each.name.endswith(SUFFIX):
            found.append((before + each.name.removesuffix(SUFFIX), each))
    return found


def _text(file: Traversable) -> str:
    with file.open("rb") as opened:
        data = opened.read(MAX_BYTES + 1)
    return data.decode("utf-8", errors="replace")
