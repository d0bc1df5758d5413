"""Somebody else's CNI: what its folder may say, and what is told where it is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.lab.profile import TIMEOUT, UNTOLD
from harness.core.model import CILIUM_POLICY, NETWORK_POLICY
from harness.edge.cluster.lane import Lane
from harness.edge.cni.known import CNIS, cni_of, is_folder, named
from harness.errors import EnvironmentFault

FACTS = """name = "mine"
version = "v1.2.3"
daemon_set = "mine-node"
manifests = ["manifests.yaml"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "cni"
    found.mkdir()
    (found / "cni.toml").write_text(FACTS, encoding="utf-8")
    (found / "manifests.yaml").write_text("kind: DaemonSet\n", encoding="utf-8")
    (found / "image.tar").write_bytes(b"one")
    return found


def write(folder: Path, more: str, instead: str = "") -> str:
    facts = FACTS.replace(instead, more) if instead else FACTS + more
    (folder / "cni.toml").write_text(facts, encoding="utf-8")
    return str(folder)


def test_folder_is_a_cni(folder: Path) -> None:
    found = cni_of(
        write(folder, 'images = ["image.tar"]\nlanes = 3\n[profile]\ndenied = "timeout"\n')
    )

    assert found.name == "mine"
    assert found.daemon_set == "mine-node"
    assert found.lanes == 3
    assert found.own is not None
    assert found.own.version == "v1.2.3"
    assert found.own.manifests == "kind: DaemonSet\n"
    assert [archive.name for archive in found.own.archives] == ["image.tar"]
    assert found.profile.denied == TIMEOUT
    assert found.profile.loopback == UNTOLD
    assert found.profile.kinds == {NETWORK_POLICY}


def test_least_that_a_folder_says(folder: Path) -> None:
    found = cni_of(str(folder))

    assert found.lanes == 1  # what is not known to be safe is not done
    assert found.own is not None
    assert not found.own.archives
    assert found.profile.ignores_rules_left_out  # the API's own rule


def test_agent_of_policylab_brings_its_counters_and_reports(folder: Path) -> None:
    assert cni_of(str(folder)).drops is None
    other = folder.rename(folder.parent / "felix")
    found = cni_of(write(other, 'agent = "calico"\nkernel = ["VXLAN"]\n'))

    assert found.drops is cni_of("calico").drops
    assert found.kernel == ("VXLAN",)
    assert cni_of(write(other.rename(folder), 'agent = "cilium"\n')).realised is None, "read once"


def test_kinds_of_policy(folder: Path) -> None:
    found = cni_of(write(folder, f'kinds = ["{NETWORK_POLICY}", "{CILIUM_POLICY}"]\n'))

    assert found.profile.kinds == {NETWORK_POLICY, CILIUM_POLICY}


def test_lane_has_the_name_and_not_the_path(folder: Path) -> None:
    lane = Lane(named(str(folder)))

    assert lane.key == "mine"
    assert lane.words.startswith("mine")


@pytest.mark.parametrize("changed", ["manifests.yaml", "image.tar"])
def test_another_build_is_another_content(folder: Path, tmp_path: Path, changed: str) -> None:
    one = cni_of(write(folder, 'images = ["image.tar"]\n')).own
    assert one is not None
    content = one.content()
    other_folder = tmp_path / "other"
    folder.rename(other_folder)
    (other_folder / changed).write_bytes(b"another")
    other = cni_of(str(other_folder)).own

    assert other is not None
    assert content != other.content()


def test_name_is_no_folder() -> None:
    assert not any(map(is_folder, CNIS))
    assert is_folder("./calico")
    assert is_folder("..")
    assert named("calico") == "calico"


@pytest.mark.parametrize(
    ("more", "instead", "told"),
    [
        ('name = "calico"', 'name = "mine"', "calico-dev"),
        ('name = "../up"', 'name = "mine"', "lower-case letters"),
        ("name = 3", 'name = "mine"', "lower-case letters"),
        ("", 'name = "mine"\n', "`name` in cni.toml is wrong: it is missing"),
        ('daemon_set = "A B"', 'daemon_set = "mine-node"', "a DaemonSet in kube-system"),
        ('manifests = ["../cni.toml"]', 'manifests = ["manifests.yaml"]', "outside of the folder"),
        ('manifests = ["/etc/hosts"]', 'manifests = ["manifests.yaml"]', "outside of the folder"),
        ('manifests = ["none.yaml"]', 'manifests = ["manifests.yaml"]', "no file none.yaml"),
        ("manifests = []", 'manifests = ["manifests.yaml"]', "a list of 1 to"),
        ('manifests = "all"', 'manifests = ["manifests.yaml"]', "a list of 1 to"),
        ('image = ["image.tar"]\n', "", "did you mean `images`"),
        ("lanes = 0\n", "", "no number from 1"),
        ("lanes = true\n", "", "no number from 1"),
        ('kinds = ["Policy"]\n', "", "policylab knows"),
        ("profile = 1\n", "", "it is no table"),
        ('kernel = ["VLAN"]\n', "", "no check knows VLAN"),
        ('agent = "flannel"\n', "", "the agents of calico and cilium"),
        ("agent = 3\n", "", "the agents of calico and cilium"),
        ('[profile]\ndenyed = "timeout"\n', "", "did you mean `denied`"),
        ('[profile]\ndenied = "timed out"\n', "", "is not an outcome"),
        ("[profile\n", "", "cni.toml cannot be read"),
    ],
)
def test_wrong_folder_is_told_in_words(folder: Path, more: str, instead: str, told: str) -> None:
    with pytest.raises(EnvironmentFault) as caught:
        named(write(folder, more, instead))

    assert told in str(caught.value)
    assert str(folder) in str(caught.value)


@pytest.mark.parametrize("name", ["nowhere", "."])
def test_place_without_a_cni(tmp_path: Path, name: str) -> None:
    with pytest.raises(EnvironmentFault, match="there is no CNI in this place"):
        named(f"{tmp_path}/{name}")


def test_file_of_manifests_is_bounded(folder: Path) -> None:
    (folder / "manifests.yaml").write_bytes(b"#" * (5 << 20))

    with pytest.raises(EnvironmentFault, match="more than 4 MiB"):
        named(str(folder))


def test_text_that_is_not_utf8(folder: Path) -> None:
    (folder / "manifests.yaml").write_bytes(b"\xff\xfe")

    with pytest.raises(EnvironmentFault, match="not UTF-8"):
        named(str(folder))
