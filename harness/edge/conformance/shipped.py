"""The cases that policylab ships, and those in a folder of somebody else's."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from harness.core.conformance.case import Case, Cast
from harness.core.conformance.deviations import Deviation, read_deviations
from harness.core.conformance.offline import check
from harness.core.conformance.reading import MAX_BYTES, read_case, read_topology
from harness.core.conformance.row import alike, why_no_case
from harness.errors import ContentError

CASES, TOPOLOGIES, DEVIATIONS = "cases", "topologies", "deviations"
MAX_CASES, MAX_DEPTH = 2_000, 8
SUFFIX = ".yaml"
SUFFIXES = (SUFFIX, ".yml")

Files = list[tuple[str, Traversable]]


@cache
def shipped() -> tuple[Case, ...]:
    """The cases of policylab, in the order of their names."""
    home = files(__package__)
    return _cases(_files(home / CASES), _topologies(home / TOPOLOGIES))


def cases_in(folder: Path) -> tuple[Case, ...]:
    """The cases of a folder and its folders; they may use the shipped topologies, and its own.

    Each case is held against the oracle, as a test holds those of policylab.

    Raises:
        ContentError: there is no case; one is not of its form, or the oracle contradicts it; two
            have one name.
    """
    topologies = _topologies(files(__package__) / TOPOLOGIES)
    try:
        if (folder / TOPOLOGIES).is_dir():
            topologies |= _topologies(folder / TOPOLOGIES)
        found = [each for each in _files(folder) if not each[0].startswith(f"{TOPOLOGIES}/")]
        _check_names(found, folder)
        cases = _cases(found, topologies)
    except OSError as error:
        seen = error.strerror or str(error)
        what = "the folder of cases cannot be read"
        raise ContentError(what, where=str(folder), seen=seen, try_="--cases DIR") from error
    for case, (_, file) in zip(cases, found, strict=True):
        check(case, where=str(file))
    return cases


def deviations_of(cni: str) -> tuple[Deviation, ...]:
    """What policylab's own CNIs are known not to pass, each with its evidence; else none."""
    file = files(__package__) / DEVIATIONS / f"{cni}{SUFFIX}"
    return read_deviations(_text(file), origin=str(file)) if file.is_file() else ()


def _topologies(home: Traversable) -> dict[str, Cast]:
    return {name: read_topology(_text(file), origin=str(file)) for name, file in _files(home)}


def _cases(found: Files, topologies: dict[str, Cast]) -> tuple[Case, ...]:
    return tuple(read_case(name, _text(file), topologies, origin=str(file)) for name, file in found)


def _check_names(found: Files, folder: Path) -> None:
    """Check that there are cases, not too many, and that a report can tell them apart."""
    if not found:
        try_ = f"a case is a file whose name ends with {SUFFIX}; docs/conformance.md has its form"
        raise ContentError("there is no case", where=str(folder), try_=try_)
    if len(found) > MAX_CASES:
        seen = str(len(found))
        raise ContentError(f"there are more than {MAX_CASES} cases", where=str(folder), seen=seen)
    for name, file in found:
        if why := why_no_case(name):
            what = f"`{name}` cannot be the name of a case"
            raise ContentError(what, where=str(file), seen=why, try_="give the file another name")
    if twice := alike(name for name, _ in found):
        what = f"the cases {twice[0]} and {twice[1]} have one name, or one folder in a report"
        raise ContentError(what, where=str(folder), try_="give one of the files another name")


def _files(home: Traversable, before: str = "") -> Files:
    """The YAML files of a folder and its folders, by their names without the suffix.

    What begins with a dot is left out: a mounted ConfigMap has each file there once more.
    """
    if before.count("/") > MAX_DEPTH:
        what = f"the folders of cases lie in each other more than {MAX_DEPTH} deep"
        raise ContentError(what, where=str(home), try_="look for a link that leads back")
    found: Files = []
    for each in sorted(home.iterdir(), key=lambda one: one.name):
        if each.name.startswith("."):
            continue
        if each.is_dir():
            found += _files(each, f"{before}{each.name}/")
        elif each.name.endswith(SUFFIXES):
            found.append((before + each.name.rpartition(".")[0], each))
    return found


def _text(file: Traversable) -> str:
    with file.open("rb") as opened:
        data = opened.read(MAX_BYTES + 1)
    return data.decode("utf-8", errors="replace")
