"""The workflow of docs/grading.md for a course in parts: its commands grade the same course."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.cli import main
from harness.edge.grading.assignments import folder_of
from harness.exitcode import ExitCode

TEXT = (Path(__file__).parents[3] / "docs" / "grading.md").read_text(encoding="utf-8")


@pytest.fixture
def jobs() -> dict[str, Any]:
    (block,) = [
        part.partition("```")[0] for part in TEXT.split("```yaml\n")[1:] if "matrix" in part
    ]
    document = yaml.safe_load(block)
    assert document["permissions"] == {"contents": "read"}
    found: dict[str, Any] = document["jobs"]
    return found


def _command(job: dict[str, Any], shard: int = 0) -> list[str]:
    """The words of the step that runs policylab."""
    (text,) = [step["run"] for step in job["steps"] if "policylab " in step.get("run", "")]
    text = text.replace("${{ matrix.shard }}", str(shard)).replace("$SEED", "spring")
    program, *words = shlex.split(text)
    assert program == "policylab"
    return words


def test_the_workflow_grades_every_shard_and_merges_them(
    jobs: dict[str, Any],
    class_of: Callable[[int], Path],
    results: Callable[[Path], dict[str, bytes]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    class_of(5).rename("submissions")
    shutil.copytree(folder_of("lab12"), "assignment")
    shards = jobs["shard"]["strategy"]["matrix"]["shard"]
    for shard in shards:
        words = _command(jobs["shard"], shard)
        assert f"{shard}/{len(shards)}" in words
        assert main(words) is ExitCode.OK
        Path("parts").mkdir(exist_ok=True)
        Path("part").rename(f"parts/part-{shard}")

    words = _command(jobs["merge"])
    folders = sorted(str(path) for path in Path("parts").glob("*"))
    where = words.index("parts/*")
    assert main([*words[:where], *folders, *words[where + 1 :]]) is ExitCode.OK

    whole = ["grade", "./assignment", "submissions", "--predict", "--seed", "spring"]
    assert main([*whole, "--out", "one"]) is ExitCode.OK
    assert results(Path("grades")) == results(Path("one"))
    assert jobs["merge"]["needs"] == "shard"
