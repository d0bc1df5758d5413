"""One way to write a module: which text files are UTF-8, and where `__all__` may be."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import harness

HOME = Path(harness.__file__).parent
DOORS = {"lab.py", "edge/cluster/opening.py"}
"""Modules that offer what lives elsewhere, as the `__init__` of a package may."""
TEXT = {"read_text": 0, "write_text": 1}
"""Methods with an encoding, and how many arguments come before it."""


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(HOME.rglob("*.py")):
        yield str(path.relative_to(HOME)), ast.parse(path.read_text(encoding="utf-8"))


def without_encoding(tree: ast.Module) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            before = TEXT.get(node.func.attr)
            named = {keyword.arg for keyword in node.keywords}
            if before is not None and len(node.args) <= before and "encoding" not in named:
                yield node


def test_text_files_are_read_and_written_as_utf_8() -> None:
    found = [f"{name}:{call.lineno}" for name, tree in modules() for call in without_encoding(tree)]

    assert found == []


def test_only_doors_say_what_they_offer() -> None:
    found = {
        name
        for name, tree in modules()
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    }

    assert {name for name in found if not name.endswith("__init__.py")} <= DOORS


def test_docstrings_name_the_value_and_have_a_section_of_errors() -> None:
    wrong = [
        f"{name}:{node.lineno}"
        for name, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        and (text := ast.get_docstring(node) or "")
        and (text.startswith(("Return ", "Returns ")) or "Raises `" in text)
    ]

    assert wrong == []


def test_each_door_to_a_library_has_one_user() -> None:
    owners = {
        "tenacity": {"edge/machine/wait.py"},
        "filelock": {"edge/machine/filelock.py"},
        "pytest_kind": {"edge/cluster/kind.py"},
        "cryptography": {"edge/images/certificates/signing.py"},
        "zstandard": {"edge/images/export/bundle.py"},
    }
    found: dict[str, set[str]] = {library: set() for library in owners}
    for name, tree in modules():
        for node in ast.walk(tree):
            used = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            used += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for library in owners.keys() & {module.partition(".")[0] for module in used}:
                found[library].add(name)

    assert found == owners
