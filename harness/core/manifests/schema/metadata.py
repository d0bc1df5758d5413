"""The part of every object that is the same for all kinds: its head and its metadata.

Source: ObjectMeta of apimachinery 0.34 (apis/meta/v1/types.go).
"""

from __future__ import annotations

from typing import Any

from harness.core.manifests.schema.shapes import ANY, Free, Ignored, Open

SERVER = "the API server keeps it"
"""Why a field that only the server fills in decides nothing."""

META: dict[str, Any] = {
    "name": str,
    "namespace": str,
    "labels": Free(str),
    "annotations": Ignored(Free(str), "no policy looks at annotations"),
    "generateName": Ignored(str, "an object that a file names needs no generated name"),
    "finalizers": Ignored([str], "they delay deletion only"),
    "ownerReferences": Ignored([ANY], "who made an object decides no flow"),
    **dict.fromkeys(
        (
            "uid",
            "resourceVersion",
            "generation",
            "creationTimestamp",
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
            "selfLink",
            "managedFields",
        ),
        Ignored(ANY, SERVER),
    ),
}
HEAD: dict[str, Any] = {"apiVersion": str, "kind": str, "metadata": META}
SOME_META = Open({field: META[field] for field in ("name", "namespace", "labels")}, frozenset(META))
"""The metadata of an object of which only that is read which decides."""

SELECTOR = {
    "matchLabels": Free(str),
    "matchExpressions": [{"key": str, "operator": str, "values": [str]}],
}
