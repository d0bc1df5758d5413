"""Documents as the files of a submission, in the ways in which people write them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import Any

import yaml

try:  # libyaml's writer takes a sixth of the time, and the wheels of PyYAML bring it
    from yaml import CSafeDumper as Writing
except ImportError:
    from yaml import SafeDumper as Writing  # type: ignore[assignment]

from harness.core.grading.mutation.edits import Document, name_of

Files = tuple[tuple[str, bytes], ...]
"""The files of a submission: names without folders, and bytes."""
Writer = Callable[[Sequence[Document]], Files]
ONE = "policies.yaml"


class _Plain(Writing):
    """Every value in full: no anchors."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - PyYAML's signature
        return True


class _Quoted(_Plain):
    """Every text in double quotes, and numbers as they are."""


class _Single(_Plain):
    """Every text in single quotes, and numbers as they are."""


_Quoted.add_representer(
    str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"')
)
_Single.add_representer(
    str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style="'")
)


def one_file(documents: Sequence[Document]) -> Files:
    """All in one file of YAML."""
    return ((ONE, _yaml(documents)),)


def file_each(documents: Sequence[Document]) -> Files:
    """A file for each document."""
    return tuple(
        (f"{number:02}-{_stem(document)}.yaml", _yaml([document]))
        for number, document in enumerate(documents, 1)
    )


def json_list(documents: Sequence[Document]) -> Files:
    """One file of JSON, with a List."""
    text = json.dumps(_list(documents), indent=2)
    return (("policies.json", text.encode()),)


def json_each(documents: Sequence[Document]) -> Files:
    """A file of JSON for each document."""
    return tuple(
        (f"{number:02}-{_stem(document)}.json", json.dumps(document).encode())
        for number, document in enumerate(documents, 1)
    )


def yaml_list(documents: Sequence[Document]) -> Files:
    """One file of YAML, with a List."""
    return ((ONE, _yaml([_list(documents)])),)


def flow_style(documents: Sequence[Document]) -> Files:
    """YAML in braces and brackets."""
    parts = [_yaml([document], default_flow_style=True) for document in documents]
    return ((ONE, b"---\n".join(parts)),)


def double_quotes(documents: Sequence[Document]) -> Files:
    """YAML with every text in double quotes."""
    return ((ONE, _yaml(documents, dumper=_Quoted)),)


def single_quotes(documents: Sequence[Document]) -> Files:
    """YAML with every text in single quotes."""
    return ((ONE, _yaml(documents, dumper=_Single)),)


def anchors(documents: Sequence[Document]) -> Files:
    """YAML in which what comes twice in a document is written once, with an anchor."""
    shared = [_shared(document, {}) for document in documents]
    return ((ONE, _yaml(shared, dumper=Writing)),)


def windows(documents: Sequence[Document]) -> Files:
    """YAML with the line ends of Windows."""
    return ((ONE, _yaml(documents).replace(b"\n", b"\r\n")),)


def with_mark(documents: Sequence[Document]) -> Files:
    """YAML with the byte order mark that some editors put in front."""
    return ((ONE, b"\xef\xbb\xbf" + _yaml(documents)),)


def commented(documents: Sequence[Document]) -> Files:
    """YAML with comments, a directive, empty documents and an end mark."""
    parts = [_yaml([document]).decode() for document in documents]
    text = "\n---\n# and another one: kind: Pod\n---\n".join(parts)
    return ((ONE, f"# My solution\n---\n{text}\n---\n# the end\n".encode()),)


def _yaml(
    documents: Sequence[Mapping[str, Any]],
    *,
    dumper: type[Writing] = _Plain,
    default_flow_style: bool = False,
) -> bytes:
    text: str = yaml.dump_all(
        [dict(document) for document in documents],
        Dumper=dumper,
        sort_keys=False,
        default_flow_style=default_flow_style,
        width=100,
    )
    return text.encode() if documents else b"# There is no policy.\n"


def _list(documents: Sequence[Document]) -> Document:
    return {"apiVersion": "v1", "kind": "List", "items": deepcopy(list(documents))}


def _stem(document: Document) -> str:
    return name_of(document).replace("/", "-")


def _shared(value: Any, seen: dict[str, Any]) -> Any:
    """The value, in which equal parts that are not small are one object."""
    if isinstance(value, dict):
        value = {key: _shared(part, seen) for key, part in value.items()}
    elif isinstance(value, list):
        value = [_shared(part, seen) for part in value]
    else:
        return value
    return seen.setdefault(json.dumps(value, sort_keys=True), value) if value else value
