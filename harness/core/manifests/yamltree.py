"""YAML with line numbers: plain values, and the place of every one of them.

PyYAML's safe loader, with limits, and with two things that it lets pass refused: a key written
twice, and more documents or aliases than a manifest can need.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml

from harness.errors import ManifestError

Path = tuple[str | int, ...]
MAX_DOCUMENTS = 50
MAX_ALIASES = 20


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document: its value, and the line at which each part of it begins."""

    value: Any
    lines: dict[Path, int] = field(default_factory=dict)

    def line(self, path: Path) -> int:
        """The line of a part, or of what it would be in where it is missing."""
        while path not in self.lines and path:
            path = path[:-1]
        return self.lines.get(path, 1)


def read(text: str, *, origin: str) -> list[Document]:
    """All documents of a text; empty ones are left out.

    Raises:
        ManifestError: no YAML, a key that stands twice, or more than the limits allow.
    """
    try:
        _limit_aliases(text, origin)
        nodes = list(yaml.compose_all(text, Loader=yaml.CSafeLoader))
    except yaml.YAMLError as error:
        raise ManifestError(
            "this is no YAML", where=origin, seen=" ".join(str(error).split())
        ) from error
    if len(nodes) > MAX_DOCUMENTS:
        raise ManifestError(
            f"{len(nodes)} documents in one file", where=origin, try_=f"at most {MAX_DOCUMENTS}"
        )
    documents = []
    for node in nodes:
        lines: dict[Path, int] = {}
        value = _value(node, (), lines, origin) if node is not None else None
        if value is not None:
            documents.append(Document(value, lines))
    return documents


def _limit_aliases(text: str, origin: str) -> None:
    aliases = sum(
        isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=yaml.CSafeLoader)
    )
    if aliases > MAX_ALIASES:
        raise ManifestError(
            f"{aliases} YAML aliases",
            where=origin,
            try_=f"at most {MAX_ALIASES}: write the values out",
        )


def _value(node: yaml.Node, path: Path, lines: dict[Path, int], origin: str) -> Any:
    lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            if key in found:
                raise ManifestError(
                    f"the key `{key}` stands twice",
                    where=f"{origin}:{key_node.start_mark.line + 1}",
                )
            found[key] = _value(value_node, (*path, key), lines, origin)
            lines[(*path, key)] = key_node.start_mark.line + 1
        return found
    if isinstance(node, yaml.SequenceNode):
        return [
            _value(child, (*path, number), lines, origin) for number, child in enumerate(node.value)
        ]
    return _scalar(node)


def _scalar(node: yaml.Node) -> Any:
    loader = yaml.SafeLoader("")
    try:
        return loader.construct_object(node)
    finally:
        loader.dispose()
