"""Every fault of a manifest is a sentence: it has a verb, and its path or a word is the subject."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.core.manifests.test_reader import faults

HOME = Path(__file__).parents[3] / "harness" / "core" / "manifests"
BE, DO = ("is", "are", "has", "have"), ("needs", "does", "begins", "stands", "takes", "holds")
VERBS = frozenset([*BE, *DO, "must", "may", "cannot"])
TEXT_OF = {"Fault": 1, "_wrong": 1, "LineFault": 1, "UnreadableError": 1}
"""Which argument of these calls is a text for people."""
FILLED = ("X", "`X` X", "X: X")


def texts() -> Iterator[tuple[str, str]]:
    """The texts that stand in the code, with their places; what is filled in is `X`."""
    for file in sorted(HOME.rglob("*.py")):
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name):
                number = TEXT_OF.get(call.func.id, len(call.args))
                for text in call.args[number : number + 1]:
                    if isinstance(text, ast.Constant | ast.JoinedStr):
                        yield f"{file.relative_to(HOME)}:{text.lineno}", _plain(text)


def _plain(text: ast.Constant | ast.JoinedStr) -> str:
    if isinstance(text, ast.Constant):
        return str(text.value)
    return "".join(str(p.value) if isinstance(p, ast.Constant) else "X" for p in text.values)


FOUND = list(texts())


def test_texts_are_found() -> None:
    assert len(FOUND) > 60


@pytest.mark.parametrize(("place", "text"), FOUND, ids=[place for place, _ in FOUND])
def test_fault_has_a_verb(place: str, text: str) -> None:
    # A text that is only filled in has its verb where it comes from.
    filled = text in FILLED or text.startswith("X ")
    assert filled or VERBS & set(text.replace(":", " ").split()), text


HEAD = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: d}\n"


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("{podSelector: {}, ingres: []}", ".ingres is an unknown field; did you mean `ingress`?"),
        ("{podSelector: []}", "spec.podSelector must be a mapping, not []"),
        ("{podSelector: {}, ingress: [{ports: [{port: 0}]}]}", "port: 0 is not between"),
    ],
)
def test_path_is_the_subject_or_stands_before_the_sentence(spec: str, said: str) -> None:
    assert said in faults(f"{HEAD}spec: {spec}\n")
