"""What a kustomization.yaml says that lies among manifests. Kustomize itself is never run.

Files are read as they are, so an answer about them holds for what Kustomize builds of them only if
it changes nothing but the namespace of objects that name none, and takes exactly these files.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from harness.core.manifests.text.reading import read_all

KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "kustomization.json")
_NEUTRAL = frozenset(
    (
        *("apiVersion", "kind", "metadata", "namespace", "resources"),
        *("configMapGenerator", "secretGenerator", "generatorOptions", "images"),
        *("commonAnnotations", "buildMetadata", "sortOptions"),
    )
)
"""The fields of a kustomization that decide no flow: what is built says of flows what files say."""


def namespace_in(text: str) -> str:
    """The namespace that a kustomization gives its objects; empty if it gives none."""
    found = _body(text).get("namespace")
    return found if isinstance(found, str) else ""


def unlike(
    text: str, beside: Collection[str], used: Collection[str], spaces: Collection[str]
) -> tuple[str, ...]:
    """Why what Kustomize builds is not what the files of its folder say, in words.

    `beside` are the names of the files of its folder that were read, `used` those of them that hold
    objects, and `spaces` the namespaces in which these objects were taken to be.
    """
    body = _body(text)
    return tuple(_unlike(body, beside, used, spaces)) if body else ("it cannot be read",)


def _unlike(
    body: dict[str, Any], beside: Collection[str], used: Collection[str], spaces: Collection[str]
) -> Iterator[str]:
    if more := [str(key) for key in body if key not in _NEUTRAL]:
        yield f"it has {', '.join(more)}"
    resources = body.get("resources") or []
    listed = [str(one).removeprefix("./") for one in resources if isinstance(one, str)]
    if elsewhere := [name for name in listed if name not in beside]:
        yield f"it takes {', '.join(elsewhere)}, which was not read"
    if left_out := sorted({*used} - {*listed}):
        yield f"it leaves out {', '.join(left_out)}"
    space = body.get("namespace")
    if space and (others := sorted({*spaces} - {space, ""})):
        yield f"it puts everything into the namespace {space}, also what is in {', '.join(others)}"


def _body(text: str) -> dict[str, Any]:
    found = [document.value for document in read_all(text)[0]]
    return found[0] if len(found) == 1 and isinstance(found[0], dict) else {}
