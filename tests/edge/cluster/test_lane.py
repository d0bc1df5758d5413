"""A lane: what a cluster is made with, and the names that come of it."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest

from harness.edge.cluster.lane import DEFAULT_KUBERNETES, KUBERNETES, PARTS, Lane
from harness.edge.cluster.state import ClusterSpec
from harness.edge.cni.known import CNIS

OTHERS = [name for name in KUBERNETES if name != DEFAULT_KUBERNETES]
LANES = [Lane(cni, kubernetes) for cni in CNIS for kubernetes in KUBERNETES]


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

    assert len(set(names)) == len(LANES) == len(CNIS) * len(KUBERNETES)
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
    assert all(part.default in part.choices for part in PARTS)


def test_a_variant_is_what_is_unusual_beside_cni_and_kubernetes() -> None:
    assert Lane("cilium", OTHERS[0]).variant == ""
