"""The cache: whole artefacts or none, and one builder at a time."""

import os
from pathlib import Path

import pytest

from harness.edge.files.cache import cache_home
from harness.edge.images.store import Store
from harness.progress import Quiet


def test_artefact_appears_when_it_is_whole(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with store.making("thing", "k1", {"version": "1"}) as folder:
        (folder / "content").write_text("whole")
        assert not store.has("thing", "k1")
    assert store.has("thing", "k1")
    assert (store.path("thing", "k1") / "content").read_text() == "whole"
    assert store.record("thing", "k1")["version"] == "1"


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_interrupted_artefact_leaves_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    store = Store(tmp_path)

    def stopped() -> None:
        with store.making("thing", "k1", {}) as folder:
            (folder / "content").write_text("half")
            raise error

    with pytest.raises(error):
        stopped()
    assert not store.has("thing", "k1")
    assert not any(path.is_file() for path in tmp_path.rglob("*"))


def test_what_a_killed_process_left_is_not_built_upon(tmp_path: Path) -> None:
    store = Store(tmp_path)
    left = tmp_path / "partial" / "thing-k1"
    left.mkdir(parents=True)
    (left / "stale").write_text("half")
    with store.making("thing", "k1", {}) as folder:
        assert list(folder.iterdir()) == []


def test_other_key_is_another_artefact(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with store.making("thing", "k1", {}):
        pass
    assert not store.has("thing", "k2")


def test_lock_names_its_holder_and_goes_with_it(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with store.lock(Quiet()):
        assert (tmp_path / "lock").read_text().strip().isdigit()
    with store.lock(Quiet()):
        pass


def test_cache_follows_xdg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_home() == tmp_path / "policylab"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/student")
    assert cache_home() == Path("/home/student/.cache/policylab")


def test_superseded_artefacts_go_but_for_the_newest(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for age, key in enumerate(("k4", "k3", "k2", "k1")):
        with store.making("thing", key, {}):
            pass
        os.utime(store.path("thing", key), (1000 + age, 1000 + age))
    with store.making("other", "k0", {}):
        pass
    assert store.prune([("thing", "k4")]) == ["thing-k3", "thing-k2"]
    assert {path.name for path in (tmp_path / "artefacts").iterdir()} == {
        "thing-k4",
        "thing-k1",
        "other-k0",
    }


def test_builder_clears_what_a_killed_one_left(tmp_path: Path) -> None:
    for left in ("partial/thing-k1", "scratch-1"):
        (tmp_path / left).mkdir(parents=True)
    with Store(tmp_path).lock(Quiet()):
        assert not list(tmp_path.glob("partial/*"))
        assert not list(tmp_path.glob("scratch-*"))
