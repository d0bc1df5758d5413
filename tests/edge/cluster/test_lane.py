"""A lane: what a cluster is made with, and the names that come of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path

import pytest

from harness.edge.cluster.lane import DEFAULT_KUBERNETES, KUBERNETES, PARTS, Lane, chosen
from harness.edge.cluster.state import ClusterSpec
from harness.edge.cni.known import CNIS, VARIANTS, cni_of
from harness.edge.machine.health.kernel import FEATURES
from harness.errors import ContentError


def every_lane() -> Iterator[Lane]:
    """Every lane that policylab's own CNIs can have."""
    lanes = [Lane(cni) for cni in CNIS]
    for part in PARTS:
        lanes = [
            part.settled(replace(lane, **{part.field: value}))
            for lane in lanes
            for value in (part.offered(lane) if part.offered else part.choices) or ("",)
        ]
    yield from lanes


OTHERS = [name for name in KUBERNETES if name != DEFAULT_KUBERNETES]
LANES = list(every_lane())


def test_the_default_lane_has_the_short_names() -> None:
    assert ClusterSpec().cluster == "policylab-calico"
    assert ClusterSpec(Lane("cilium")).cluster == "policylab-cilium"
    assert Lane("cilium", DEFAULT_KUBERNETES).key == "cilium"


@pytest.mark.parametrize("kubernetes", OTHERS)
def test_another_version_is_a_part_of_every_name(kubernetes: str) -> None:
    spec = ClusterSpec(Lane("cilium", kubernetes))

    assert spec.cluster == f"policylab-cilium-{kubernetes}"
    assert spec.lane.key == f"cilium-{kubernetes}"
    assert spec.lane.words == f"cilium on Kubernetes {kubernetes}"


def test_no_two_lanes_share_a_name_and_every_name_can_be_a_node() -> None:
    """A node is called NAME-control-plane, and its name is a label: 63 characters at most."""
    names = [ClusterSpec(lane).cluster for lane in LANES]

    assert len(set(names)) == len(set(LANES)) == len(LANES)
    assert len(LANES) > len(CNIS) * len(KUBERNETES)
    for name in names:
        node = f"{name}-control-plane"
        assert re.fullmatch(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?", node)
        assert len(node) <= 63


def test_the_cni_is_the_first_part_of_a_key() -> None:
    assert fields(Lane)[0].name == "cni"
    assert all(lane.key.split("-")[0] == lane.cni for lane in LANES)


def test_a_name_that_the_user_chose_stays() -> None:
    assert ClusterSpec(Lane(kubernetes=OTHERS[0]), name="mine").cluster == "mine"


def test_every_part_of_a_lane_has_an_option() -> None:
    assert [part.field for part in PARTS] == [part.name for part in fields(Lane)[1:]]
    for part in PARTS:
        assert part.choices == () if part.offered else part.default in part.choices


def test_a_variant_is_what_is_unusual_beside_cni_and_kubernetes() -> None:
    assert Lane("cilium", OTHERS[0]).variant == ""


def test_the_usual_value_is_the_same_as_none() -> None:
    assert chosen("calico", {"dataplane": "iptables", "kube_proxy": "nftables"}) == Lane("calico")
    assert chosen("cilium", {"dataplane": "kube-proxy"}).key == "cilium"


def test_a_word_says_which_part_is_another_one() -> None:
    """Both Calico and kube-proxy can work with iptables and with nftables."""
    assert chosen("calico", {"dataplane": "nftables"}).key == "calico-nftables"
    assert chosen("calico", {"kube_proxy": "iptables"}).key == "calico-kp-iptables"
    both = chosen("calico", {"dataplane": "nftables", "kube_proxy": "iptables"})
    assert both.key == "calico-nftables-kp-iptables"
    assert both.variant == "nftables-kp-iptables"


@pytest.mark.parametrize(
    ("cni", "parts", "words"),
    [
        ("calico", {"dataplane": "replacement"}, "it has iptables, nftables"),
        ("cilium", {"dataplane": "iptables"}, "it has kube-proxy, replacement"),
        ("calico", {"kube_proxy": "none"}, "it has nftables, iptables"),
        ("calico", {"kube_proxy": "ipvs"}, "it has nftables, iptables"),
        ("cilium", {"dataplane": "replacement", "kube_proxy": "nftables"}, "it has none"),
        ("calico", {"cni_version": "1.15"}, "it has no choice"),
    ],
)
def test_a_value_that_the_cni_lacks_is_refused_with_those_that_it_has(
    cni: str, parts: dict[str, str], words: str
) -> None:
    with pytest.raises(ContentError) as caught:
        chosen(cni, parts)

    assert words in str(caught.value)
    assert f"cluster with {cni}" in str(caught.value)


def test_a_dataplane_that_replaces_kube_proxy_leaves_none() -> None:
    replaced = chosen("cilium", {"dataplane": "replacement"})

    assert replaced.proxy_mode == "none"
    assert replaced.facts["kube_proxy"] == "none"
    assert Lane("cilium").proxy_mode == "nftables"
    assert "CGROUP_BPF" in replaced.value.kernel
    assert "CGROUP_BPF" not in Lane("cilium").value.kernel


def test_somebody_elses_cni_has_no_dataplane_to_choose(tmp_path: Path) -> None:
    (tmp_path / "cni.toml").write_text(
        'name = "mine"\nversion = "v1"\ndaemon_set = "mine"\nmanifests = ["m.yaml"]\n'
    )
    (tmp_path / "m.yaml").write_text("kind: Namespace\n")

    assert chosen(str(tmp_path), {"kube_proxy": "iptables"}).key == "mine-kp-iptables"
    with pytest.raises(ContentError, match="it has no choice"):
        chosen(str(tmp_path), {"dataplane": "nftables"})


def test_a_name_that_is_too_long_for_a_node_is_shortened_and_stays_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("harness.edge.cluster.state.LONGEST", 30)
    names = [ClusterSpec(lane).cluster for lane in LANES]

    assert max(map(len, names)) <= 30
    assert len(set(names)) == len(LANES)


@pytest.mark.parametrize("lane", LANES, ids=lambda lane: str(lane.key))
def test_what_a_lane_needs_of_the_kernel_is_known_in_words(lane: Lane) -> None:
    assert {*lane.value.kernel, *lane.kernel} <= FEATURES.keys()


@pytest.mark.parametrize("lane", LANES, ids=lambda lane: str(lane.key))
def test_a_lane_has_the_profile_of_its_variant(lane: Lane) -> None:
    profile = lane.value.profile

    assert VARIANTS[profile.column] == profile
    assert profile.name == lane.cni
    assert lane.facts["profile"] == profile.column


def test_only_variants_that_lanes_can_have_change_a_profile() -> None:
    words = {word for lane in LANES for word in _words(lane)}
    assert {word for cni in CNIS for word in cni_of(cni).changes} <= words


def _words(lane: Lane) -> set[str]:
    parts = [(part.mark, getattr(lane, part.field)) for part in PARTS]
    return {mark + value for mark, value in parts if value}


def test_the_options_that_name_a_lane_make_it_again() -> None:
    lane = chosen("cilium", {"dataplane": "replacement"})

    k8s = f"--k8s {DEFAULT_KUBERNETES}"
    assert lane.arguments == f"--cni cilium {k8s} --dataplane replacement"
    assert Lane("calico").arguments == f"--cni calico {k8s}"
