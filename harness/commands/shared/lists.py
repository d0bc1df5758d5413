"""Lists of flows that verbs are given: files, or the ConfigMap among the objects."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from harness.core.manifests.reader import Resource
from harness.core.manifests.wanted.flows import MAX_BYTES, list_in, parse_wishes
from harness.core.manifests.wanted.wishes import Wish
from harness.core.model import Topology
from harness.errors import ContentError

FORM = "a YAML list of {from: NAMESPACE/POD, to: pod/NAMESPACE/POD:PORT}"


def list_of(file: Path, topology: Topology, names: Collection[str] = ()) -> tuple[Wish, ...]:
    """The flows that a file lists; `names` outside may be named as well.

    Raises:
        ContentError: the file cannot be read.
        ManifestError: it is not such a list, or names an end that is not there.
    """
    return parse_wishes(text_of(file), topology, origin=str(file), names=names)


def text_of(file: Path) -> str:
    """The text of a file with a list; the parser refuses one that is too long.

    Raises:
        ContentError: the file cannot be read.
    """
    try:
        with file.open("rb") as opened:
            return opened.read(MAX_BYTES + 1).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ContentError("the list cannot be read", where=str(file), seen=str(error)) from error


def wanted_list(
    file: Path | None,
    resources: Iterable[Resource],
    topology: Topology,
    names: Collection[str] = (),
) -> tuple[Wish, ...] | None:
    """The wanted flows: of the file if there is one, else of the ConfigMap among the objects.

    Raises:
        ContentError: the file cannot be read.
        ManifestError: the list is wrong, or names an end that is not there.
    """
    if file is not None:
        return list_of(file, topology, names)
    found = list_in(resources)
    if found is None:
        return None
    return parse_wishes(found[0], topology, origin=found[1], names=names)
