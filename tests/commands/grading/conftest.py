"""A course in small: who handed in what, and the files that grading it leaves."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.edge.grading.assignments import folder_of

RIGHT = (folder_of("lab12") / "reference.yaml").read_text(encoding="utf-8")
TEXTS = {
    "right": RIGHT,
    "wrong port": RIGHT.replace("port: 6379", "port: 5432"),
    "thirds": RIGHT.replace("app: web-server", "app: web"),
    "no DNS over TCP": RIGHT.replace("        - {protocol: TCP, port: 53}\n", ""),
    "broken": "a: [",
}
_NOW = re.compile(rb'"datetime": "[^"]*"|<dd class="(?:date|seed)">.*?</dd>')

Files = dict[str, bytes]


@pytest.fixture
def class_of(tmp_path: Path) -> Callable[[int], Path]:
    """The folder of a course of so many students, some right, some wrong, some broken."""

    def made(students: int) -> Path:
        home = tmp_path / f"class-of-{students}"
        for number in range(students):
            folder = home / f"student-{number:02}"
            folder.mkdir(parents=True)
            text = list(TEXTS.values())[number % len(TEXTS)]
            (folder / "policies.yaml").write_text(text, encoding="utf-8")
            (folder / "notes.txt").write_text("no manifest", encoding="utf-8")
        return home

    return made


@pytest.fixture
def results() -> Callable[[Path], Files]:
    """All files of a folder of results by name, but for what is of one run, and no result."""

    def read(folder: Path) -> Files:
        return {
            f"{path.relative_to(folder)}": _NOW.sub(b"", path.read_bytes())
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.name != "shard.json"
        }

    return read
