"""The instructor's walk in docs/grading.md: each command is run, and prints what stands there."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.cli import main
from harness.commands.shared.access import Access
from harness.core.grading.randomised import of_student
from harness.edge.cni.known import CNIS
from harness.edge.grading.assignments import load_assignment
from tests.fakes.cluster import FakeCluster

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "grading.md").read_text(encoding="utf-8")
HOSTILE = """\
apiVersion: v1
kind: Pod
metadata: {name: miner, namespace: kube-system}
spec: {containers: [{name: miner, image: miner}]}
"""


def _walk() -> Iterator[tuple[str, list[str]]]:
    """The commands of the document's console blocks, each with the lines that it prints."""
    for block in TEXT.split("```console\n")[1:]:
        for part in block.partition("\n```")[0].split("$ ")[1:]:
            command, *printed = part.rstrip("\n").split("\n")
            yield command, printed


def _edit(folder: Path) -> None:
    """The change of two rows that the text describes."""
    file = folder / "assignment.yaml"
    text = file.read_text(encoding="utf-8")
    start, api, rest = text.partition("  - id: api-to-db\n")
    rest = rest.replace("points: 15", "points: 20", 1).replace("  points: 50\n", "  points: 45\n")
    changed = f"{start}{api}{rest}"
    assert changed.count("points: 20") == changed.count("points: 15") + 1 == 2
    file.write_text(changed, encoding="utf-8")


def _hand_in(home: Path) -> None:
    """A right, a nearly right and a hostile submission."""
    assignment = load_assignment("my-lab12", CNIS)
    for name in ("alice", "bob"):
        own = of_student(assignment, name, "spring")
        text = own.reference[0].data.decode()
        folder = home / "submissions" / name
        folder.mkdir(parents=True)
        text = text if name == "alice" else text.replace('"TCP", "port": 53', '"UDP", "port": 53')
        (folder / "policies.yaml").write_text(text, encoding="utf-8")
    (home / "submissions" / "carol").mkdir()
    (home / "submissions" / "carol" / "policies.yaml").write_text(HOSTILE, encoding="utf-8")
    (home / "submissions" / "carol" / "conftest.py").write_text("raise SystemExit", "utf-8")


def test_every_command_of_the_walk_prints_what_the_document_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    cluster = FakeCluster()
    access = Access(open=lambda *_: cluster.value(), doors=lambda _: cluster)
    ran = 0
    for command, printed in _walk():
        program, *arguments = shlex.split(command)
        assert program == "policylab"
        if "check" in arguments and not Path("submissions").exists():
            _hand_in(tmp_path)
        capsys.readouterr()
        main(arguments, access)
        assert capsys.readouterr().out.splitlines() == printed, command
        if "new" in arguments:
            _edit(tmp_path / "my-lab12")
        ran += 1

    assert ran >= 6
    _open(tmp_path / "grades")


def _open(grades: Path) -> None:
    """What the text says of the pages: the course's leads to each student's."""
    course = (grades / "summary.html").read_text(encoding="utf-8")
    pages = {
        name: (grades / link).read_text(encoding="utf-8")
        for link, name in re.findall(r'<td><a href="(feedback/[^"]+)"><bdi>(\w+)</bdi>', course)
    }
    assert sorted(pages) == ["alice", "bob", "carol"]
    for words in ("2</b> graded", "1</b> ungradable", "a Pod may not be submitted", "spring"):
        assert words in course
    assert "<b>80</b> of 100 points" in pages["bob"]
    assert "<b>Hint:</b> Select every pod" in pages["bob"]
    assert "policylab check my-lab12 --key 2eb4fbe6ab3348f6a869 policies/" in pages["bob"]
    assert "a Pod may not be submitted" in pages["carol"]
    assert "spring" not in "".join(pages.values())
