"""What a changed file changes, and what it leaves alone."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.core.target.internet import INTERNET
from harness.edge.images.keys import Keys, plan_keys
from harness.edge.images.recipe import read_recipes, recipes_home
from harness.edge.images.versions import versions_of
from harness.errors import ImageUnavailable

MADE = {"certificates": "the digest of what was made"}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return Path(shutil.copytree(recipes_home(), tmp_path / "images"))


def changed(home: Path, change: Callable[[], object]) -> set[str]:
    """Name every key that is another one after the change."""
    before = plan_keys(read_recipes(home), MADE)
    change()
    after = plan_keys(read_recipes(home), MADE)
    return names_of(before, after)


def names_of(before: Keys, after: Keys) -> set[str]:
    found = {"cluster"} if before.cluster != after.cluster else set()
    for part in ("commands", "roots", "certificates", "images"):
        old, new = getattr(before, part), getattr(after, part)
        assert old.keys() == new.keys()
        found |= {f"{part}/{name}" for name in old if old[name] != new[name]}
    return found


def append(path: Path, text: str) -> Callable[[], object]:
    return lambda: path.write_text(path.read_text() + text)


def test_changed_go_sum_changes_that_command_its_image_and_the_bake_only(home: Path) -> None:
    assert changed(home, append(home / "coredns" / "go.sum", "\n")) == {
        "commands/coredns",
        "images/coredns",
        "cluster",
    }


def test_changed_file_over_an_image_compiles_nothing(home: Path) -> None:
    conf = home / "nginx" / "rootfs" / "etc" / "nginx" / "nginx.conf"
    assert changed(home, append(conf, "# more\n")) == {"images/nginx", "cluster"}


@pytest.mark.parametrize("file", ["rootfs/etc/policylab/site.conf", "image.toml"])
def test_changed_image_beside_the_cluster_bakes_nothing(home: Path, file: str) -> None:
    path = home / "internet" / file
    more = '"/etc/more" = "certificates/ca.crt"\n' if file == "image.toml" else "# more\n"
    assert changed(home, append(path, more)) == {"images/internet"}


def test_certificates_made_anew_change_what_holds_them_and_the_bake(home: Path) -> None:
    recipes = read_recipes(home)
    found = names_of(plan_keys(recipes, MADE), plan_keys(recipes, {"certificates": "others"}))
    assert found == {"images/internet", "images/toolbox", "cluster"}


def test_certificates_are_for_every_name_of_the_world(home: Path) -> None:
    assert read_recipes(home)["certificates"].certificates == tuple(sorted(INTERNET))


def test_certificate_for_one_more_name_is_another_one(home: Path) -> None:
    recipe = home / "certificates" / "image.toml"
    text = recipe.read_text().replace('"cilium.io",', '"cilium.io", "example.org",', 1)
    assert changed(home, lambda: recipe.write_text(text)) == {"certificates/certificates"}


@pytest.mark.parametrize("source", ["certificates/ca.key", "nginx/ca.crt", "nowhere/ca.crt"])
def test_file_that_is_no_certificate_is_refused(home: Path, source: str) -> None:
    recipe = home / "internet" / "image.toml"
    recipe.write_text(recipe.read_text().replace("certificates/leaf.crt", source))
    with pytest.raises(ImageUnavailable, match="cannot be read") as caught:
        read_recipes(home)
    assert f"no certificate {source!r}" in str(caught.value)


def test_commands_of_a_folder_that_compiles_nothing_are_refused(home: Path) -> None:
    recipe = home / "node" / "image.toml"
    text = recipe.read_text().replace('commands = "kubernetes"', 'commands = "redis"')
    recipe.write_text(text)
    with pytest.raises(ImageUnavailable, match="cannot be read") as caught:
        read_recipes(home)
    assert "nothing is compiled in 'redis'" in str(caught.value)


def test_changed_package_list_changes_that_root_and_what_stands_on_it(home: Path) -> None:
    recipe = home / "nettools" / "image.toml"
    assert changed(
        home, lambda: recipe.write_text(recipe.read_text().replace('"kmod",', '"kmod", "jq",'))
    ) == {"roots/nettools", "images/calico", "images/kube-proxy", "cluster"}


def test_changed_base_changes_every_debian_root(home: Path) -> None:
    recipe = home / "debian" / "image.toml"
    found = changed(home, lambda: recipe.write_text('[debian]\npackages = ["tzdata"]\n'))
    assert {name for name in found if name.startswith("roots/")} == {
        f"roots/{name}" for name in plan_keys(read_recipes(home), MADE).roots
    }
    assert not any(name.startswith("commands/") for name in found)


def test_order_of_packages_does_not_matter(home: Path) -> None:
    recipe = home / "nginx" / "image.toml"
    swapped = recipe.read_text().replace('"curl", "nginx-light"', '"nginx-light", "curl"')
    assert swapped != recipe.read_text()
    assert changed(home, lambda: recipe.write_text(swapped)) == set()


def test_file_made_executable_changes_the_key(home: Path) -> None:
    conf = home / "redis" / "rootfs" / "etc" / "redis" / "policylab.conf"
    assert changed(home, lambda: conf.chmod(0o755)) == {"images/redis", "cluster"}


def test_readme_is_not_an_input(home: Path) -> None:
    assert changed(home, append(home / "README.md", "more\n")) == set()


def test_unknown_key_in_a_recipe_is_refused(home: Path) -> None:
    recipe = home / "nginx" / "image.toml"
    recipe.write_text(recipe.read_text() + 'entrypiont = ["nginx"]\n')
    with pytest.raises(ImageUnavailable) as caught:
        read_recipes(home)
    assert "unknown key 'entrypiont'" in str(caught.value)
    assert str(recipe) in str(caught.value)


def test_root_that_is_no_debian_root_is_refused(home: Path) -> None:
    recipe = home / "calico" / "image.toml"
    recipe.write_text(recipe.read_text().replace('"nettools"', '"etcd"'))
    with pytest.raises(ImageUnavailable, match="no Debian root 'etcd'"):
        read_recipes(home)


def test_broken_toml_names_the_file(home: Path) -> None:
    recipe = home / "pause" / "image.toml"
    recipe.write_text("[c\n")
    with pytest.raises(ImageUnavailable, match="cannot be read") as caught:
        read_recipes(home)
    assert str(recipe) in str(caught.value)


def test_every_lab_image_has_its_stable_name(home: Path) -> None:
    refs = {image.ref for recipe in read_recipes(home).values() for image in recipe.images}
    assert {
        "localhost/policylab/nginx:lab",
        "localhost/policylab/redis:lab",
        "localhost/policylab/toolbox:lab",
    } <= refs


def test_go_modules_are_pinned(home: Path) -> None:
    for recipe in read_recipes(home).values():
        if recipe.go is not None:
            assert (recipe.folder / "go.mod").is_file()
            assert (recipe.folder / "go.sum").stat().st_size > 0


@pytest.mark.parametrize("kubernetes", versions_of("kubernetes"))
def test_versions_of_recipes_are_those_of_their_modules(home: Path, kubernetes: str) -> None:
    recipes = read_recipes(home, {"kubernetes": kubernetes})
    for name, module in (
        ("kubernetes", "k8s.io/kubernetes"),
        ("coredns", "github.com/coredns/coredns"),
        ("etcd", "go.etcd.io/etcd/server/v3"),
        ("kind", "sigs.k8s.io/kind"),
    ):
        pins = (recipes[name].folder / "go.mod").read_text()
        assert f"{module} {recipes[name].version}" in pins
    assert recipes["node"].version == recipes["kubernetes"].version


def test_containerd_runs_the_pause_image_that_is_baked_in(home: Path) -> None:
    [pause] = read_recipes(home)["pause"].images
    config = home / "node" / "rootfs" / "etc" / "containerd" / "config.toml"
    assert f'sandbox_image = "{pause.ref}"' in config.read_text()
