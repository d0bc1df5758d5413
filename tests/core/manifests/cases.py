"""The manifests of tests/corpus/manifests: what the API server takes, and what it refuses.

A file names a kind and has entries of accepted and of refused manifests. An entry has a reason
(`why`) and a pattern for the spec (`at`), for the metadata (`meta`) or for all of the text
(`whole`), in which `%` stands for each of its values. What a refusal must say is `fault`.
`stricter` are manifests that the server takes and the reader refuses, which each says why; those of
`agent` the server takes too, but Cilium's agent does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

CORPUS = Path(__file__).parents[2] / "corpus" / "manifests"
TAKEN_BY_THE_SERVER = ("accepted", "stricter", "agent")


@dataclass(frozen=True, slots=True)
class Case:
    """One manifest; `list` is the list in which it stands, and `fault` what a refusal must say."""

    id: str
    list: str
    text: str
    fault: str

    @property
    def read(self) -> bool:
        """Whether the reader takes it."""
        return self.list == "accepted"

    @property
    def taken(self) -> bool:
        """Whether the API server takes it."""
        return self.list in TAKEN_BY_THE_SERVER


def cases() -> Iterator[Case]:
    """Every manifest of every file."""
    for path in sorted(CORPUS.glob("*.yaml")):
        body = yaml.safe_load(path.read_text(encoding="utf-8"))
        for name in ("accepted", "refused", "stricter", "agent"):
            for number, entry in enumerate(body.get(name, []), 1):
                for count, value in enumerate(entry["values"], 1):
                    text = _text(body, entry, value)
                    case = f"{path.stem}-{name}-{number}-{count}"
                    yield Case(case, name, text, entry.get("fault", ""))


def _text(body: dict[str, Any], entry: dict[str, Any], value: str) -> str:
    def filled(pattern: str) -> str:
        return pattern.replace("%", value, 1)

    if "whole" in entry:
        return filled(entry["whole"])
    kind = entry.get("kind", body["kind"])
    meta = "{name: case, namespace: default}" if body.get("namespaced", True) else "{name: case}"
    lines = [
        f"apiVersion: {body['apiVersion']}",
        f"kind: {kind}",
        f"metadata: {filled(entry['meta']) if 'meta' in entry else meta}",
    ]
    spec = entry.get("at") or entry.get("spec")
    if spec:
        lines.append(f"spec: {filled(spec)}")
    return "\n".join((*lines, ""))
