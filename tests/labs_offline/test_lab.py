"""All that a lab may import: `documented`, and a wrong table's file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.lab.documented import Table
from harness.edge.files.labs import load_table
from harness.errors import OutcomeTableError

LAB = '''"""Phase 1."""

from harness.lab import documented

OUTCOMES = documented(
    """
step open: 01-pods

| from        | to              | tutorial says | why                |
|-------------|-----------------|---------------|--------------------|
| shop/client | pod/shop/web:80 | conected      | nothing selects it |
""",
    source="shop#1",
)
'''


def load(path: Path, text: str) -> Table:
    path.write_text(text, encoding="utf-8")
    return load_table(path)


def test_misspelt_outcome_names_the_file_the_line_the_word_and_the_nearest(tmp_path: Path) -> None:
    path = tmp_path / "test_01_wrong.py"
    line = next(n for n, text in enumerate(LAB.splitlines(), 1) if "conected" in text)

    with pytest.raises(OutcomeTableError) as raised:
        load(path, LAB)

    words = str(raised.value)
    assert f"{path}:{line}\n" in words
    assert "seen:  conected" in words
    assert "did you mean `connected`" in words


def test_place_is_written_as_a_person_in_the_folder_would(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    table = load(tmp_path / "test_01_right.py", LAB.replace("conected", "connected"))

    assert table.rows[0].where == "test_01_right.py:11"


def test_lines_are_counted_from_the_call_where_the_table_is_not_a_literal(tmp_path: Path) -> None:
    path = tmp_path / "test_01_made.py"
    made = LAB.replace('"""\nstep', '"".join("""\nstep').replace(
        '""",\n    source', '"""),\n    source'
    )
    assert compile(made, path.name, "exec")

    with pytest.raises(OutcomeTableError, match=r"test_01_made\.py:11"):
        load(path, made)
