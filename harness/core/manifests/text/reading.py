"""A file's text as documents with line numbers: YAML and JSON as kubectl reads them.

What is read follows kubectl 1.37: lines of `---` divide the text into parts, each part holds one
document, and a text that begins with a brace is a stream of JSON objects
(k8s.io/apimachinery v0.34, pkg/util/yaml/decoder.go; k8s.io/cli-runtime, pkg/resource/visitor.go).
We are stricter in two points: a key that stands twice is a fault (kubectl takes the last), and so
is what stands behind a part's document (kubectl does not look there).
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator

from harness.core.manifests.text.composing import MAX_DEPTH, compose
from harness.core.manifests.text.documents import Document, LineFault, UnreadableError
from harness.core.manifests.text.jsontree import json_documents
from harness.errors import ManifestError

MAX_DOCUMENTS = 5_000
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def decoded(data: bytes) -> str:
    """The text of a file: UTF-8, or UTF-16 if it begins with that mark, as kubectl takes it.

    Bytes that are no character become U+FFFD; a name or a label that has one is refused later.
    """
    for mark, name in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(name, errors="replace")
    return data.decode("utf-8", errors="replace")


def read(text: str, *, origin: str) -> list[Document]:
    """All documents of a text; empty ones are left out.

    Raises:
        ManifestError: the text is not YAML, has a key twice, or goes beyond a limit.
    """
    documents, faults = read_all(text)
    if faults:
        lines = (f"{origin}:{fault.line}: {fault.text}" for fault in faults)
        raise ManifestError("\n  ".join(("this YAML cannot be read:", *lines)), where=origin)
    return documents


def read_all(text: str) -> tuple[list[Document], list[LineFault]]:
    """The documents that can be read, and a fault for each that cannot; empty ones are left out."""
    documents: list[Document] = []
    faults: list[LineFault] = []
    rest, line = text.removeprefix("\ufeff"), 1
    if rest.lstrip().startswith("{"):
        rest, line = _json(rest, documents, faults)
    for number, (first, part) in enumerate(_parts(rest, line, faults)):
        if number == MAX_DOCUMENTS:
            faults.append(LineFault(first, f"there are more than {MAX_DOCUMENTS} documents"))
            break
        try:
            found = compose(part, first)
        except UnreadableError as error:
            faults.append(error.fault)
            continue
        if found is not None:
            documents.append(found)
    return [document for document in documents if document.value is not None], faults


def _json(text: str, documents: list[Document], faults: list[LineFault]) -> tuple[str, int]:
    """Take the JSON objects with which a text begins; the rest, and the number of its first line.

    Where fewer than two can be read, kubectl reads the rest as YAML: the brace was perhaps a flow
    mapping's. Behind two it reads nothing but JSON.
    """
    end = 0
    try:
        for document, behind in json_documents(text, max_depth=MAX_DEPTH):
            if len(documents) == MAX_DOCUMENTS:
                line = document.place.line
                faults.append(LineFault(line, f"there are more than {MAX_DOCUMENTS} documents"))
                return "", 1
            documents.append(document)
            end = behind
    except UnreadableError as error:
        if len(documents) > 1:
            faults.append(error.fault)
            return "", 1
        return _behind(text, end)
    return "", 1


def _behind(text: str, end: int) -> tuple[str, int]:
    """What stands behind an offset, without the blank rest of its line; and its line."""
    blank, newline, rest = text[end:].partition("\n")
    line = text.count("\n", 0, end) + 1
    if end and newline and not blank.strip():
        return rest, line + 1
    return text[end:], line


def _parts(text: str, line: int, faults: list[LineFault]) -> Iterator[tuple[int, str]]:
    """The parts that lines of `---` divide, each with the number of its first line."""
    kept: list[str] = []
    first = line
    for number, row in enumerate(text.split("\n"), line):
        if not row.startswith("---"):
            kept.append(row.removesuffix("\r"))
            continue
        behind = row[3:].strip()
        if behind and not behind.startswith("#"):
            why = f"`---` divides documents, and `{behind[:40]}` stands behind it in its line"
            faults.append(LineFault(number, why))
            return
        yield first, "\n".join((*kept, ""))
        kept, first = [], number + 1
    yield first, "\n".join((*kept, ""))
