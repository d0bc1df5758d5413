"""The versions of a recipe: one folder each, which says all that belongs to its version."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from harness.edge.images import versions
from harness.edge.images.keys import plan_keys
from harness.edge.images.recipe import read_recipes, recipes_home
from harness.edge.images.versions import (
    Version,
    default,
    every_choice,
    names_in,
    short,
    usual_versions,
    versions_of,
)
from harness.edge.support import support_of
from harness.errors import ImageUnavailable

MADE = {"certificates": "the digest of what was made"}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return Path(shutil.copytree(recipes_home(), tmp_path / "images"))


@pytest.fixture
def kubernetes(home: Path) -> Path:
    return home / "kubernetes"


def add(kubernetes: Path, name: str, version: str) -> Path:
    """Add a folder for one more version, made from the default one."""
    folder = Path(shutil.copytree(kubernetes / default("kubernetes"), kubernetes / name))
    file = folder / versions.FILE
    lines = [f'version = "{version}"', *file.read_text(encoding="utf-8").splitlines()[1:]]
    file.write_text("\n".join(lines), encoding="utf-8")
    return folder


def test_a_folder_more_is_a_version_more_and_nothing_else_is_changed(
    home: Path, kubernetes: Path
) -> None:
    add(kubernetes, "1.100", "v1.100.3")
    recipes = read_recipes(home, {"kubernetes": "1.100"})
    go = recipes["kubernetes"].go

    assert names_in(kubernetes)[0] == "1.100"
    assert go
    assert "gitVersion=v1.100.3" in go.ldflags
    assert "gitMajor=1 " in go.ldflags
    assert "gitMinor=100 " in go.ldflags
    assert "${" not in go.ldflags
    assert recipes["kubernetes"].version == recipes["node"].version == "v1.100.3"
    assert "localhost/policylab/kube-proxy:v1.100.3" in [
        image.ref for image in recipes["kubernetes"].images
    ]


def test_each_version_has_keys_of_its_own_and_shares_what_is_the_same(home: Path) -> None:
    plans = [
        plan_keys(read_recipes(home, {"kubernetes": name}), MADE)
        for name in versions_of("kubernetes")
    ]

    assert len({keys.cluster for keys in plans}) == len(plans) > 1
    assert len({keys.commands["kubernetes"] for keys in plans}) == len(plans)
    for part in ("etcd", "calico", "cilium", "coredns"):
        assert len({keys.commands[part] for keys in plans}) == 1


def test_a_version_that_does_not_exist_is_told_with_those_that_do(home: Path) -> None:
    with pytest.raises(ImageUnavailable, match=r"no version 1\.2 of kubernetes") as caught:
        read_recipes(home, {"kubernetes": "1.2"})
    for name in versions_of("kubernetes"):
        assert name in caught.value.seen


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('etcd = "', 'etcd = "v0', "was tried with etcd v0"),
        ('version = "v1', 'version = "v2', "in the folder"),
        ("[official]", "[offical]", "unknown key 'offical'"),
        ("skew = 1", "skw = 1", "unknown key 'skw'"),
        ("[beside]", "[beside", "version.toml"),
    ],
)
def test_a_wrong_file_of_a_version_is_refused(
    home: Path, kubernetes: Path, old: str, new: str, words: str
) -> None:
    file = kubernetes / default("kubernetes") / versions.FILE
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")

    with pytest.raises(ImageUnavailable, match="cannot be read") as caught:
        read_recipes(home)
    assert words in str(caught.value)


def test_a_version_of_an_unknown_recipe_is_refused(home: Path) -> None:
    file = home / "node" / versions.RECIPE
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace('version_of = "kubernetes"', 'version_of = "nothing"'))

    with pytest.raises(ImageUnavailable, match="cannot be read") as caught:
        read_recipes(home)
    assert "there is no recipe 'nothing'" in str(caught.value)


@pytest.mark.parametrize(
    ("kubectl", "fits"),
    [
        ("v1.36.0", True),
        ("v1.37.9", True),
        ("v1.38.1", True),
        ("v1.35.4", False),
        ("v1.39.0", False),
        ("v2.37.0", False),
        ("", False),
        ("devel", False),
    ],
)
def test_a_kubectl_fits_within_its_skew(kubectl: str, fits: bool) -> None:
    version = Version("v1.37.2", Path(), kubectl_skew=1)

    assert version.takes_kubectl(kubectl) is fits
    assert not Version("v1.37.2", Path()).takes_kubectl(kubectl)


def test_short_names() -> None:
    assert (short("v1.37.2"), short("1.36"), short("main")) == ("1.37", "1.36", "main")


def test_the_default_version_is_the_first_choice_and_support_of_each_is_known() -> None:
    assert versions_of("kubernetes")[0] == default("kubernetes")
    for name in versions_of("kubernetes"):
        assert support_of("kubernetes", name)


def test_outside_of_a_clone_there_is_no_version_to_choose(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(versions, "HOME", tmp_path)

    assert default("kubernetes") == ""
    assert versions_of("kubernetes") == ()


def test_a_version_of_a_cni_has_its_own_packages_and_official_image(home: Path) -> None:
    usual, older = (
        read_recipes(home, {"cilium": name})["cilium"] for name in versions_of("cilium")
    )

    assert set(older.debian or ()) - set(usual.debian or ()) == {"bpftool"}
    assert older.cni["cilium"].official.endswith(f":{older.version}")
    assert older.version != usual.version
    assert older.go
    assert f"ciliumVersion={older.version}" in older.go.ldflags


def test_every_choice_names_a_version_of_each_recipe_that_has_some() -> None:
    choices = every_choice()

    assert usual_versions() in choices
    assert len(choices) == len(versions_of("kubernetes")) * len(versions_of("cilium"))
