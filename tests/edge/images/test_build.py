"""How the parts of images are built, with programs that stand in for the builders."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from harness.edge.images.build import Builder, debian_base
from harness.edge.images.keys import plan_keys
from harness.edge.images.recipe import Recipe, read_recipes
from harness.edge.images.store import Store, Workshop
from harness.edge.machine import apt
from harness.progress import Quiet
from tests.fakes.docker import FakeEngine

# Does for files what mmdebstrap does for packages: a setup hook fills the root, what is essential
# and lacks is made (each time with other bytes), and what is included is added.
MMDEBSTRAP = """#!/bin/sh
set -e
cat >/dev/null
root=$(mktemp -d)
for word; do
  case $word in
    --setup-hook=tar-in*) eval "set -- ${word#*tar-in}"; tar -C "$root" -xf "$1" ;;
    --include=*) included=${word#*=} ;;
    */full.tar|*/layer.tar) target=$word ;;
  esac
done
test -e "$root/essential" || cat /proc/sys/kernel/random/uuid >"$root/essential"
test -z "$included" || echo "$included" >"$root/added"
tar -C "$root" -cf "$target" .
rm -r "$root"
"""


@pytest.fixture
def recipes(tmp_path: Path) -> dict[str, Recipe]:
    for name, packages in (("debian", "[]"), ("nginx", '["curl", "nginx-light"]')):
        folder = tmp_path / "images" / name
        folder.mkdir(parents=True)
        text = f'version = "1"\n[debian]\npackages = {packages}\n'
        (folder / "image.toml").write_text(text, encoding="utf-8")
    return read_recipes(tmp_path / "images")


@pytest.fixture
def builder(recipes: dict[str, Recipe], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Builder:
    tool = tmp_path / "bin" / "mmdebstrap"
    tool.parent.mkdir()
    tool.write_text(MMDEBSTRAP, encoding="utf-8")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}:/usr/bin:/bin")
    monkeypatch.setattr(apt, "sources_for", lambda suite: f"Suites: {suite}\n")
    home = tmp_path / "a cache"
    home.mkdir()
    shop = Workshop(Store(home), FakeEngine().docker, Quiet())
    return Builder(shop, plan_keys(recipes, {}), Path("go"))


def names(layer: Path) -> list[str]:
    with tarfile.open(layer) as tar:
        return [entry.name for entry in tar if entry.isfile()]


def test_debian_root_begins_as_the_base_and_adds_its_packages(
    builder: Builder, recipes: dict[str, Recipe]
) -> None:
    nginx = recipes["nginx"]
    root = builder.root(nginx, debian_base(recipes, nginx))
    base = builder.root(recipes["debian"], None)
    assert names(base / "layer.tar") == ["./essential"]
    assert names(root / "layer.tar") == ["./added"]
    assert not (root / "full.tar").exists()
