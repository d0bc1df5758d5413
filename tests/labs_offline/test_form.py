"""How a lab is written: what it imports, how wide it is, what its rows are called and cite."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from harness.edge.files.labs import HOME, load_claims, load_shown, load_table

LABS = sorted(HOME.glob("*/test_*.py"))
WIDTH = 120
BODY = "assert observed == row.outcome, row.why"
every_lab = pytest.mark.parametrize(
    "path", LABS, ids=lambda path: f"{path.parent.name}/{path.stem}"
)


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@every_lab
def test_lab_imports_harness_lab_and_nothing_else(path: Path) -> None:
    imports = [n for n in ast.walk(tree(path)) if isinstance(n, ast.Import | ast.ImportFrom)]

    assert [n.module for n in imports if isinstance(n, ast.ImportFrom)] == ["harness.lab"]
    assert len(imports) == 1


@every_lab
def test_lab_is_words_a_table_and_one_assertion(path: Path) -> None:
    doc, _, table, test = tree(path).body

    assert isinstance(doc, ast.Expr)
    assert isinstance(table, ast.Assign)
    assert ast.unparse(table.targets[0]) == "OUTCOMES"
    assert isinstance(test, ast.FunctionDef)
    assert [ast.unparse(line) for line in test.body] == [BODY]


@every_lab
def test_line_of_a_lab_fits_a_screen(path: Path) -> None:
    assert max(map(len, path.read_text(encoding="utf-8").splitlines())) <= WIDTH


@every_lab
def test_errata_stand_in_the_order_in_which_the_rows_show_them(path: Path) -> None:
    table = load_table(path)
    shown = dict.fromkeys(row.erratum for row in table.rows if row.erratum)

    assert list(shown) == list(table.errata)


@every_lab
def test_id_of_a_row_can_be_typed_after_k(path: Path) -> None:
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9._-]*", row.id) for row in load_table(path).rows)


@pytest.mark.parametrize("tutorial", sorted(load_shown()))
def test_row_cites_a_section_that_the_ledger_has(tutorial: str) -> None:
    """A misspelt section, or an erratum's id where `really` is empty, would look like a section."""
    sections = {claim.section for claim in load_claims()[tutorial]} | {"ours"}

    assert {shown.row.cite for shown in load_shown()[tutorial]} <= sections
