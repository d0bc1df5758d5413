"""The folders of runs: none overwrites another, the links point to the newest, the oldest go."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier

import pytest

from harness.edge.files.runs import DOCUMENT, KEPT, Runs, runs_in
from harness.errors import EnvironmentFault

WHEN = datetime(2026, 1, 17, 14, 25, 30, tzinfo=UTC)


def run(home: Path, minute: int = 0, *, cni: str = "calico", partial: bool = False) -> Path:
    folder = Runs(home).begin(WHEN + timedelta(minutes=minute), cni, partial=partial)
    (folder / DOCUMENT).write_text("{}", encoding="utf-8")
    return folder


def test_folder_is_named_by_when_the_run_began_and_by_its_cni(tmp_path: Path) -> None:
    assert run(tmp_path).name == "20260117-142530-calico"
    assert run(tmp_path, cni="cilium", partial=True).name == "20260117-142530-cilium-part"


def test_lanes_have_links_of_their_own(tmp_path: Path) -> None:
    for minute, lane in enumerate(["calico", "calico-1.36"]):
        Runs(tmp_path).finish(run(tmp_path, minute, cni=lane), lane)

    assert (tmp_path / "latest-calico").resolve().name == "20260117-142530-calico"
    assert (tmp_path / "latest-calico-1.36").resolve().name == "20260117-142630-calico-1.36"
    assert len(runs_in(tmp_path)) == 2


def test_two_runs_of_one_second_have_folders_of_their_own(tmp_path: Path) -> None:
    assert run(tmp_path) != run(tmp_path)
    assert len(runs_in(tmp_path)) == 2


def test_latest_points_to_the_newest_run_and_can_be_moved_with_its_folder(tmp_path: Path) -> None:
    run(tmp_path, 0)
    newest = run(tmp_path, 1)

    link = tmp_path / "latest"
    assert link.resolve() == newest
    assert not link.readlink().is_absolute()


def test_link_of_a_cni_points_to_a_whole_run_that_ended(tmp_path: Path) -> None:
    whole = run(tmp_path, 0)
    Runs(tmp_path).finish(whole, "calico")
    run(tmp_path, 1, partial=True)

    assert (tmp_path / "latest-calico").resolve() == whole
    assert not (tmp_path / "latest-cilium").exists()


def test_oldest_runs_go_but_never_the_newest_whole_run(tmp_path: Path) -> None:
    whole = run(tmp_path, 0)
    Runs(tmp_path).finish(whole, "calico")
    parts = [run(tmp_path, minute, partial=True) for minute in range(1, KEPT + 10)]

    kept = runs_in(tmp_path)
    assert whole in kept
    assert parts[-1] in kept
    assert len(kept) <= KEPT + 2


def test_files_and_folders_that_are_not_runs_are_never_removed(tmp_path: Path) -> None:
    strange = [tmp_path / "thesis", tmp_path / "20250101-000000-calico", tmp_path / "fuzz"]
    for folder in strange:  # the second one is named like a run, but has no result
        folder.mkdir()
    for minute in range(KEPT + 5):
        run(tmp_path, minute)

    assert all(folder.is_dir() for folder in strange)


def test_folder_in_the_place_of_a_link_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "latest").mkdir()

    with pytest.raises(EnvironmentFault, match="cannot be written") as error:
        run(tmp_path)

    assert "is not a link" in str(error.value)
    assert (tmp_path / "latest").is_dir()


def test_place_where_nothing_can_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")

    with pytest.raises(EnvironmentFault, match="cannot be written") as error:
        run(tmp_path / "file")

    assert "--lab-report-dir" in error.value.try_


def test_runs_that_begin_at_the_same_moment_do_not_disturb_each_other(tmp_path: Path) -> None:
    for minute in range(KEPT + 5):
        run(tmp_path, minute)
    together = Barrier(8)

    def begin(number: int) -> Path:
        together.wait(10)
        return run(tmp_path, 60, cni=("calico", "cilium")[number % 2])

    with ThreadPoolExecutor(8) as pool:
        begun = list(pool.map(begin, range(8)))

    assert len(set(begun)) == 8
    assert (tmp_path / "latest").resolve() in begun
    assert all(folder.is_dir() for folder in begun)
