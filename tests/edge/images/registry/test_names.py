"""What an official image is called in a mirror, and which digest it must have there."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.edge.images import Official
from harness.edge.images.recipe import recipes_home
from harness.edge.images.registry.names import Mirror, Name, loopback, mirror_place, read_mirror
from harness.edge.images.registry.official import listed
from harness.errors import ImageUnavailable

DIGEST = "sha256:" + 32 * "ab"
OTHER = "sha256:" + 32 * "cd"
KNOWN = (f"kindest/node:v1@{DIGEST}", "calico/node:v3", "quay.io/cilium/cilium:v2", "debian:12")


@pytest.mark.parametrize(
    ("official", "there"),
    [
        (f"kindest/node:v1@{DIGEST}", f"mirror.test:5000/a/b/kindest/node:v1@{DIGEST}"),
        ("calico/node:v3", "mirror.test:5000/a/b/calico/node:v3"),
        ("docker.io/calico/node:v3", "mirror.test:5000/a/b/calico/node:v3"),
        ("quay.io/cilium/cilium:v2", "mirror.test:5000/a/b/quay.io/cilium/cilium:v2"),
        ("debian:12", "mirror.test:5000/a/b/library/debian:12"),
    ],
)
def test_image_in_a_mirror_has_one_name(official: str, there: str) -> None:
    name = Mirror("mirror.test:5000/a/b").name(official)

    assert name.ref == there
    assert name.tagged == there.partition("@")[0]
    assert name.host == "mirror.test:5000"


@pytest.mark.parametrize("official", ["debian:12", f"kindest/node:v1@{DIGEST}", "quay.io/a/b:1"])
def test_image_has_its_official_name_without_a_mirror(official: str) -> None:
    assert Mirror().name(official).ref == official


def test_mirror_without_a_prefix_has_the_path_alone() -> None:
    assert Mirror("mirror.test").name("debian:12").ref == "mirror.test/library/debian:12"


def test_listed_names_are_those_of_one_cni_and_of_debian() -> None:
    found = listed({}, Official("mirror.test", "calico"))

    assert [Name.of(name).short for name in found] == [
        "kindest/node",
        "calico/node",
        "calico/cni",
        "coredns/coredns",
        "library/nginx",
        "library/redis",
        "nicolaka/netshoot",
        "library/debian",
    ]


@pytest.mark.parametrize(
    "place",
    ["mirror.test", "mirror.test:5000/a/b-c", "127.0.0.1:5000", "localhost", "[::1]:5000/x"],
)
def test_place_is_taken_with_and_without_a_slash_at_its_end(place: str) -> None:
    assert mirror_place(place) == mirror_place(f"{place}/") == place


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("https://mirror.test", "without https://"),
        ("mirror", "neither a dot nor a port"),
        ("mirror.test/Upper", "small letters"),
        ("mirror.test/a:tag", "is not HOST"),
        ("mirror.test//a", "is not HOST"),
        ("--privileged", "is not HOST"),
        ("mirror.test/a b", "is not HOST"),
        ("/a", "is not HOST"),
        ("m.test/" + 300 * "a", "is not HOST"),
    ],
)
def test_text_that_is_no_place_is_refused(place: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        mirror_place(place)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:5000", "127.9.9.9", "[::1]:1"])
def test_loopback_is_known(host: str) -> None:
    assert loopback(host)


@pytest.mark.parametrize(
    "host", ["127.0.0.1.test", "localhost.test:5000", "10.0.0.1", "1127.0.0.1"]
)
def test_other_machines_are_not_loopback(host: str) -> None:
    assert not loopback(host)


def pins(home: Path, text: str, place: str = "mirror.test/a") -> Mirror:
    (home / "registries.toml").write_text(text, encoding="utf-8")
    return read_mirror(place, home, KNOWN)


def test_pin_of_a_mirror_takes_the_place_of_the_official_digest(tmp_path: Path) -> None:
    text = f'"docker.io/kindest/node:v1" = "{OTHER}"\n"calico/node:v3" = "{DIGEST}"\n'
    found = pins(tmp_path, f'["mirror.test/a/"]\n{text}')

    assert found.name(KNOWN[0]).digest == OTHER
    assert found.name(KNOWN[1]).digest == DIGEST
    assert found.name(KNOWN[2]).digest == ""


def test_pin_of_another_mirror_or_of_another_version_counts_for_nothing(tmp_path: Path) -> None:
    other = f'["other.test"]\n"kindest/node:v1" = "{OTHER}"\n'
    found = pins(tmp_path, f'{other}["mirror.test/a"]\n"kindest/node:v0" = "{OTHER}"\n')

    assert found.name(KNOWN[0]).digest == DIGEST
    assert read_mirror("", tmp_path, KNOWN).pins == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            '["mirror.test/a"]\n"kindest/nod:v1" = "x"',
            "no official image is called 'kindest/nod:v1'",
        ),
        ('["mirror.test/a"]\n"kindest/node:v1" = "sha256:12"', "is not sha256: and 64 digits"),
        ('["mirror.test/a"]\n"kindest/node:v1" = 12', "is not sha256: and 64 digits"),
        ('"mirror.test/a" = 1', "is not a table"),
        ("[", "registries.toml"),
    ],
)
def test_pin_that_means_nothing_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ImageUnavailable) as caught:
        pins(tmp_path, text)
    assert words in str(caught.value)


def test_file_that_is_shipped_pins_nothing() -> None:
    text = (recipes_home() / "registries.toml").read_text(encoding="utf-8")
    assert all(line.startswith("#") for line in text.splitlines() if line)
