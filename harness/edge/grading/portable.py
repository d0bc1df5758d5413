"""A submission as a document, for where the files that were handed in are not at hand."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any

from harness.core.manifests.reader import File
from harness.edge.grading.submissions import HandedIn


def handed_document(one: HandedIn) -> dict[str, Any]:
    """A submission as JSON has it."""
    return {
        "id": one.id,
        "files": [[file.origin, b64encode(file.data).decode()] for file in one.files],
        "notes": list(one.notes),
        "problem": one.problem,
    }


def read_handed(document: Mapping[str, Any]) -> HandedIn:
    """A submission from its document.

    Raises:
        ValueError: it is not of this form.
    """
    try:
        return HandedIn(
            str(document["id"]),
            tuple(
                File(str(origin), b64decode(data, validate=True))
                for origin, data in document["files"]
            ),
            tuple(map(str, document["notes"])),
            str(document["problem"]),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(repr(error)) from error
