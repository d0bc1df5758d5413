"""The families of addresses of a cluster: what kind and the CNI are told, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.core.target.family import FAMILIES, IPV4, Families, family_of
from harness.edge.cluster.doctor import ensure_machine
from harness.edge.cluster.families import ensure_families, ensure_network
from harness.edge.cluster.kindconfig import kind_config
from harness.edge.cluster.lane import PARTS, Lane
from harness.edge.cni.known import CNIS
from harness.edge.internet.engine import Place
from harness.edge.internet.state import InternetMode
from harness.errors import EnvironmentFault
from tests.edge.cni.test_manifests import CRD, images
from tests.fakes.docker import FakeEngine
from tests.fakes.machine import FakeMachine

DUAL, SIX = FAMILIES["dual"], FAMILIES["ipv6"]
OFF = "/proc/sys/net/ipv6/conf/all/disable_ipv6"


def networking(families: Families) -> dict[str, Any]:
    text = kind_config(
        workers=0,
        kubeadm_patch=None,
        resolv_conf=Path("/h/resolv.conf"),
        proxy_mode="nftables",
        families=families,
    )
    found: dict[str, Any] = yaml.safe_load(text)["networking"]
    return found


def test_kind_hears_of_families_only_where_there_is_ipv6() -> None:
    assert "ipFamily" not in networking(IPV4)
    assert networking(SIX)["ipFamily"] == "ipv6"
    assert networking(DUAL)["ipFamily"] == "dual"


@pytest.mark.parametrize("field", ["podSubnet", "serviceSubnet"])
def test_each_family_has_networks_of_its_own_ipv4_first(field: str) -> None:
    four, six = networking(IPV4)[field], networking(SIX)[field]

    assert networking(DUAL)[field] == f"{four},{six}"
    assert [str(family_of(cidr.partition("/")[0])) for cidr in (four, six)] == ["IPv4", "IPv6"]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("cni", CNIS)
def test_manifests_name_the_networks_of_their_families_alone(
    cni: str, family: str, tmp_path: Path
) -> None:
    crds = tmp_path / "crds.yaml"
    crds.write_text(CRD, encoding="utf-8")
    text = Lane(cni).value.manifests(images(crds), control_plane="n", families=FAMILIES[family])

    assert list(yaml.safe_load_all(text))
    assert ("10.244.0.0/16" in text) is (family != "ipv6")
    assert ("fd00:10:244::/56" in text) is (family != "ipv4")
    assert ("::1" in text) is (family == "ipv6" and cni == "cilium")


def test_lane_without_the_option_is_ipv4_and_another_one_is_named() -> None:
    assert Lane().families == IPV4
    assert Lane("calico", family="dual").key == "calico-dual"
    assert Lane("calico", family="dual").words.endswith(", dual")
    (part,) = [part for part in PARTS if part.field == "family"]
    assert set(part.choices) <= FAMILIES.keys()


def test_cni_that_cannot_be_installed_so_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "cni.toml").write_text(
        'name = "mine"\nversion = "1"\ndaemon_set = "d"\nmanifests = ["m.yaml"]\n', encoding="utf-8"
    )
    (tmp_path / "m.yaml").write_text("kind: DaemonSet\n", encoding="utf-8")

    with pytest.raises(EnvironmentFault, match="cannot install mine with the family dual"):
        ensure_families(Lane(str(tmp_path), family="dual"))
    ensure_families(Lane(str(tmp_path)))
    ensure_families(Lane("calico", family="dual"))


def test_real_internet_is_refused_where_no_pod_could_ask_it() -> None:
    with pytest.raises(EnvironmentFault, match="no name server of the real internet"):
        ensure_families(Lane("calico", family="ipv6"), InternetMode.REAL)
    ensure_families(Lane("calico", family="dual"), InternetMode.REAL)


def test_network_of_ipv4_alone_is_refused_and_one_that_is_not_there_is_not() -> None:
    engine = FakeEngine()
    place = Place(docker=engine.docker)

    ensure_network(DUAL, place)
    engine.networks["kind"] = {"EnableIPv6": False}
    ensure_network(IPV4, place)
    with pytest.raises(EnvironmentFault, match="network kind has no IPv6"):
        ensure_network(DUAL, place)
    engine.networks["kind"] = {"EnableIPv6": True}
    ensure_network(DUAL, place)


def test_kernel_without_ipv6_is_a_lack_only_for_who_asks_for_it() -> None:
    machine, docker = FakeMachine().having({OFF: "1\n"}), FakeEngine().docker

    ensure_machine(machine, docker, Lane("calico"))
    with pytest.raises(EnvironmentFault, match="does not speak IPv6"):
        ensure_machine(machine, docker, Lane("calico", family="dual"))
