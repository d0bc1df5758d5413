"""The manifests that a test hands over: folders, files, and what helm and kustomize print.

Nobody reads a note of a test that passes. So whatever would be a note of `policylab explain`, and
could make the answer another one, is an error here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.core.manifests.library import in_force
from harness.core.manifests.reader import DEFAULT_NAMESPACE, File, Loaded, Resource, read_files
from harness.core.manifests.text.kustomized import KUSTOMIZATIONS
from harness.core.model import NetworkPolicy, Pod
from harness.edge.files.library import SUFFIXES, files_at
from harness.errors import ContentError, ManifestError
from harness.listing import few

Given = str | bytes | Path

_BUILT = (
    "hand over what it builds, as text: predict(TEXT), where TEXT is the output of `kustomize "
    "build FOLDER`"
)
_CHARTS = "Chart.yaml"
_BARE = "Kustomization"
"""The third name that Kustomize takes; it has no suffix, so that no reader of manifests sees it."""


@dataclass(frozen=True, slots=True)
class Manifests:
    """What was read: the objects that are in force, and the files that they come from."""

    resources: tuple[Resource, ...]
    loaded: Loaded


def files_of(given: Sequence[Given], home: Path, *, recursive: bool | None) -> list[File]:
    """The files and the texts that a test names; paths are relative to `home`.

    `recursive`: whether folders in folders are read; None refuses them, if they have manifests.

    Raises:
        ContentError: there is no such folder or file, or a text is empty.
    """
    return [file for n, one in enumerate(given, 1) for file in _files(one, n, home, recursive)]


def manifests_in(files: Sequence[File], namespace: str) -> Manifests:
    """The objects of the files, in the order in which they are named; the last of a name counts.

    Raises:
        ContentError: they hold no object, or do not say what a cluster would get.
        ManifestError: a file cannot be read; the message has every fault of all files.
    """
    try:
        loaded = read_files(files, namespace=namespace)
    except ManifestError as error:
        if any(file.name in KUSTOMIZATIONS for file in files):
            # A patch of Kustomize looks like a manifest with faults.
            raise ManifestError(error.what, where=error.where, try_=_BUILT) from None
        raise
    resources = in_force(loaded, list(loaded))
    _as_built(loaded)
    _some(resources, files)
    _at_home(resources, loaded)
    return Manifests(resources, loaded)


def _files(one: Given, number: int, home: Path, recursive: bool | None) -> Iterable[File]:
    if isinstance(one, bytes) or (isinstance(one, str) and _is_text(one)):
        data = one.encode() if isinstance(one, str) else one
        if not data.strip():
            raise ContentError(
                f"text {number} of the manifests is empty",
                try_="did `helm template` or `kustomize build` print nothing?",
            )
        return [File(f"text-{number}.yaml", data)]
    if not isinstance(one, str | Path):
        raise ContentError(
            "manifests are folders, files and texts, each an argument of its own",
            seen=f"{type(one).__name__}: {one!r:.60}",
            try_="a list of them is handed over with a star: predict(*names)",
        )
    path = home / one
    if not _is_there(path):
        raise ContentError(
            "there is no such folder or file",
            where=f"{path!s:.200}",
            try_=f"a path is relative to pytest's root folder, {home}, which is the one that has a "
            "pytest.ini or pyproject.toml",
        )
    if path.is_dir():
        _no_more(path, recursive)
    return files_at([path], deep=bool(recursive))


def _is_text(one: str) -> bool:
    return "\n" in one or not one.strip() or one.lstrip().startswith("{")


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # its name is too long for a file
        return False


def _no_more(folder: Path, recursive: bool | None) -> None:
    """Make sure that a folder has no manifests that are left out without a word.

    Raises:
        ContentError: it has, or it is a chart or a kustomization.
    """
    if (folder / _BARE).is_file():
        raise ContentError(
            "Kustomize is not run, and the folder is one of its own",
            where=str(folder / _BARE),
            try_=_BUILT,
        )
    if recursive is not None or (folder / _CHARTS).is_file():
        return
    deeper = next(_deeper(folder), None)
    if deeper:
        raise ContentError(
            "the folder has folders with manifests in it, and the test does not say whether they "
            "count",
            where=str(folder),
            seen=str(deeper.relative_to(folder)),
            try_="recursive=True reads them too, as `kubectl apply -R` does; recursive=False "
            "leaves them out, as `kubectl apply` does",
        )


def _deeper(folder: Path) -> Iterator[Path]:
    for inside in sorted(folder.iterdir()):
        if inside.is_dir() and not inside.name.startswith("."):
            yield from (path for path in sorted(inside.rglob("*")) if path.suffix in SUFFIXES)


def _as_built(loaded: Loaded) -> None:
    if loaded.unlike:
        raise ContentError("\n  ".join(loaded.unlike), try_=_BUILT)


def _some(resources: Sequence[Resource], files: Sequence[File]) -> None:
    if resources:
        return
    chart = any(file.name == _CHARTS for file in files)
    raise ContentError(
        "nothing that was read is an object of Kubernetes",
        where=few((file.origin for file in files), 3),
        try_="hand over what `helm template` makes of the chart: predict(TEXT)" if chart else "",
    )


def _at_home(resources: Iterable[Resource], loaded: Loaded) -> None:
    """Make sure that nobody guesses in which namespace a pod or a policy is.

    Where no object states one, all are in `default`, and the sentences of the test say so too.

    Raises:
        ContentError: some objects state their namespace, and others could be in it as well.
    """
    decide = [r for r in resources if any(isinstance(m, Pod | NetworkPolicy) for m in r.models)]
    homeless = [r for r in decide if r.origin in loaded.guessed]
    homes = sorted({r.namespace for r in decide if r.namespace and r not in homeless})
    if homeless and set(homes) - {DEFAULT_NAMESPACE}:
        bare = few((f"{each.kind} {each.name}" for each in homeless), 1)
        raise ContentError(
            "some objects state no namespace, and others do, so nobody knows where all of them are",
            where=homeless[0].origin,
            seen=f"{bare} without one; others in {few(homes, 3)}",
            try_="say where they go, as `kubectl -n` and `helm -n` do: "
            f'namespace="{homes[0]}", or namespace="{DEFAULT_NAMESPACE}"',
        )
