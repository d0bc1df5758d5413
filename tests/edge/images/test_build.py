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
from harness.errors import ImageUnavailable
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

# Writes the command that it should build: a text with the words that tell how.
GO = """#!/bin/sh
set -e
told="GOGC=$GOGC CGO_ENABLED=$CGO_ENABLED $*"
while [ "$1" != -o ]; do shift; done
test "$3" = ./server || { echo "cannot find $3"; exit 1; }
echo "$told" >"$2/server"
"""


@pytest.fixture
def recipes(tmp_path: Path) -> dict[str, Recipe]:
    for name, packages in (("debian", "[]"), ("nginx", '["curl", "nginx-light"]')):
        folder = tmp_path / "images" / name
        folder.mkdir(parents=True)
        text = f'version = "1"\n[debian]\npackages = {packages}\n'
        (folder / "image.toml").write_text(text, encoding="utf-8")
    for name, package in (("etcd", "./server"), ("broken", "./nowhere")):
        folder = tmp_path / "images" / name
        folder.mkdir()
        text = f'version = "1"\n[go]\npackages = ["{package}"]\nldflags = "-X main.v=1"\n'
        (folder / "image.toml").write_text(text, encoding="utf-8")
    return read_recipes(tmp_path / "images")


@pytest.fixture
def builder(recipes: dict[str, Recipe], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Builder:
    tools = tmp_path / "bin"
    tools.mkdir()
    for name, text in (("mmdebstrap", MMDEBSTRAP), ("go", GO)):
        (tools / name).write_text(text, encoding="utf-8")
        (tools / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")
    monkeypatch.setattr(apt, "sources_for", lambda suite: f"Suites: {suite}\n")
    home = tmp_path / "a cache"
    home.mkdir()
    shop = Workshop(Store(home), FakeEngine().docker, Quiet())
    return Builder(shop, plan_keys(recipes, {}), tools / "go")


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


def test_command_is_compiled_without_what_the_linker_leaves_out(
    builder: Builder, recipes: dict[str, Recipe]
) -> None:
    told = (builder.commands(recipes["etcd"]) / "server").read_text(encoding="utf-8")
    assert "-ldflags -s -w -X main.v=1" in told
    assert "-gcflags=all=-dwarf=false" in told
    assert told.startswith("GOGC=400 CGO_ENABLED=0 ")


def test_command_that_does_not_compile_leaves_no_part(
    builder: Builder, recipes: dict[str, Recipe]
) -> None:
    with pytest.raises(ImageUnavailable, match="broken cannot be built") as raised:
        builder.commands(recipes["broken"])
    assert "cannot find ./nowhere" in raised.value.seen
    assert not builder.store.has("commands-broken", builder.keys.commands["broken"])
