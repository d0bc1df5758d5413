"""What kind and CoreDNS are told, and what a cluster must have to be fit for labs."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from harness.edge.cluster.kindconfig import NODE_RESOLV_CONF, kind_config
from harness.edge.cluster.maker import corefile_for, missing
from tests.fakes.kube import FakeKube

PATCH = "kind: ClusterConfiguration\nimageRepository: localhost/kubernetes\n"
COREFILE = """.:53 {
    errors
    health {
       lameduck 5s
    }
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       pods insecure
    }
    forward . /etc/resolv.conf {
       max_concurrent 1000
    }
    cache 30 {
       disable success cluster.local
    }
}
"""


def config(
    *, workers: int = 0, patch: str | None = None, proxy_mode: str = "nftables"
) -> dict[str, Any]:
    text = kind_config(
        workers=workers,
        kubeadm_patch=patch,
        resolv_conf=Path("/h/resolv.conf"),
        proxy_mode=proxy_mode,
    )
    return cast("dict[str, Any]", yaml.safe_load(text))


@pytest.mark.parametrize("mode", ["nftables", "iptables", "none"])
def test_kind_installs_no_cni_of_its_own_and_proxies_as_it_is_told(mode: str) -> None:
    networking = config(proxy_mode=mode)["networking"]

    assert networking["disableDefaultCNI"] is True
    assert networking["kubeProxyMode"] == mode
    assert networking["podSubnet"] == "10.244.0.0/16"


@pytest.mark.parametrize("workers", [0, 2])
def test_there_is_one_control_plane_and_as_many_workers_as_asked_for(workers: int) -> None:
    roles = [node["role"] for node in config(workers=workers)["nodes"]]

    assert roles == ["control-plane", *["worker"] * workers]


def test_every_node_reads_our_resolv_conf_and_its_kubelet_hands_it_to_pods() -> None:
    found = config(workers=1)
    mount = {
        "hostPath": "/h/resolv.conf",
        "containerPath": NODE_RESOLV_CONF,
        "readOnly": True,
    }
    kubelet = yaml.safe_load(found["kubeadmConfigPatches"][0])

    assert [node["extraMounts"] for node in found["nodes"]] == [[mount], [mount]]
    assert kubelet["resolvConf"] == NODE_RESOLV_CONF


def test_the_kubelet_runs_on_either_version_of_the_control_groups() -> None:
    assert yaml.safe_load(config()["kubeadmConfigPatches"][0]) == {
        "kind": "KubeletConfiguration",
        "resolvConf": NODE_RESOLV_CONF,
        "failCgroupV1": False,
    }


def test_patch_of_the_images_comes_after_ours_and_is_left_out_without_one() -> None:
    with_patch, without = config(patch=PATCH), config()
    kinds = [yaml.safe_load(patch)["kind"] for patch in with_patch["kubeadmConfigPatches"]]

    assert kinds == ["KubeletConfiguration", "KubeProxyConfiguration", "ClusterConfiguration"]
    assert without["kubeadmConfigPatches"] == with_patch["kubeadmConfigPatches"][:2]


def test_corefile_logs_once_and_asks_the_new_upstream() -> None:
    found = corefile_for(COREFILE, "172.18.0.9")

    assert found.splitlines()[:3] == [".:53 {", "    log", "    errors"]
    assert "    forward . 172.18.0.9 {\n       max_concurrent 1000\n" in found
    assert "/etc/resolv.conf" not in found


def test_corefile_keeps_no_answer_longer_than_it_says_and_no_failure() -> None:
    found = corefile_for(COREFILE, "172.18.0.9")

    assert (
        "    cache 30 {\n       success 9984 30 0\n       denial 9984 30 0\n       servfail 0\n"
        "       disable success cluster.local\n    }\n"
    ) in found


def test_corefile_that_is_right_already_is_left_alone() -> None:
    once = corefile_for(COREFILE, "172.18.0.9")

    assert corefile_for(once, "172.18.0.9") == once


def test_corefile_follows_an_upstream_that_moved() -> None:
    moved = corefile_for(corefile_for(COREFILE, "172.18.0.9"), "172.18.0.10")

    assert moved == corefile_for(COREFILE, "172.18.0.10")


def fit() -> FakeKube:
    """A cluster that lacks nothing: one node, the CNI's DaemonSet and CoreDNS."""
    kube = FakeKube()
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    dns = {"updatedReplicas": 2, "availableReplicas": 2, "replicas": 2}
    kube.put(
        {"kind": "Node", "metadata": {"name": "n"}, "status": ready},
        part("calico-node", {"status": {"desiredNumberScheduled": 1, "numberReady": 1}}),
        part("coredns", {"spec": {"replicas": 2}, "status": dns}),
    )
    return kube


def part(name: str, body: dict[str, Any]) -> dict[str, Any]:
    kind = "Deployment" if name == "coredns" else "DaemonSet"
    return {"kind": kind, "metadata": {"namespace": "kube-system", "name": name}, **body}


def test_cluster_lacks_nothing_when_node_cni_and_dns_are_ready() -> None:
    assert missing(fit(), "calico-node") == ""


def test_cluster_without_nodes_is_not_fit() -> None:
    kube = fit()
    kube.remove(("Node", "", "n"))

    assert missing(kube, "calico-node") == "nodes not ready: none listed"


def test_node_that_is_not_ready_is_named() -> None:
    kube = fit()
    unknown = {"conditions": [{"type": "Ready", "status": "Unknown"}]}
    kube.put({"kind": "Node", "metadata": {"name": "n"}, "status": unknown})

    assert missing(kube, "calico-node") == "nodes not ready: n"


@pytest.mark.parametrize(
    ("name", "body", "words"),
    [
        ("calico-node", None, "there is no DaemonSet calico-node"),
        ("calico-node", {"status": {}}, "calico-node: 0 of 0 pods are ready"),
        (
            "calico-node",
            {"status": {"desiredNumberScheduled": 2, "numberReady": 1}},
            "calico-node: 1 of 2 pods are ready",
        ),
        ("coredns", None, "there is no CoreDNS"),
        ("coredns", {"spec": {"replicas": 2}}, "CoreDNS: 0 of 2 available"),
    ],
)
def test_part_that_is_not_there_or_not_ready_is_named(
    name: str, body: dict[str, Any] | None, words: str
) -> None:
    kube = fit()
    old = part(name, {})
    kube.remove((old["kind"], "kube-system", name))
    if body is not None:
        kube.put(part(name, body))

    assert missing(kube, "calico-node") == words
