"""Each CNI's manifests: whole, and with no more rights than policy needs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.edge.cluster.lane import Lane
from harness.edge.cni.known import CNIS, cni_of
from harness.edge.images import ClusterImages, Source
from harness.edge.images.model import CniParts
from harness.errors import ImageUnavailable

CRD = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: x}\n"
IMAGES = {
    "calico": {"calico-cni": "registry.test/cni:1", "calico-node": "registry.test/node:1"},
    "cilium": {"cilium": "registry.test/cilium:1"},
}
WRITTEN = {
    # The books of addresses, and what the node and its pods say of themselves.
    "calico": {"blockaffinities", "ipamblocks", "ipamhandles", "nodes/status", "pods/status"},
    # The agent's own kinds alone; nothing of Kubernetes.
    "cilium": {"ciliumendpoints", "ciliumidentities", "ciliumnodes", "ciliumnodes/status"},
}
calico_only = pytest.mark.parametrize("cni", ["calico"], indirect=True)


def images(crds: Path) -> ClusterImages:
    return ClusterImages(
        source=Source.BUILD,
        node="node:1",
        refs=IMAGES["calico"] | IMAGES["cilium"],
        load=(),
        kind=Path("kind"),
        kubectl=Path("kubectl"),
        kubernetes_version="v1.37.2",
        image_repository=None,
        kubeadm_patch=None,
        cnis={name: CniParts("v1.2.3", crds) for name in CNIS},
    )


@pytest.fixture(params=CNIS)
def cni(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def text(cni: str, tmp_path: Path) -> str:
    crds = tmp_path / "crds.yaml"
    crds.write_text(CRD, encoding="utf-8")
    return Lane(cni).value.manifests(images(crds), control_plane="lab-control-plane")


@pytest.mark.parametrize(
    ("lane", "words"),
    [
        (Lane("calico"), 'FELIX_NFTABLESMODE, value: "Disabled"'),
        (Lane("calico", dataplane="nftables"), 'FELIX_NFTABLESMODE, value: "Enabled"'),
        (Lane("cilium"), "--kube-proxy-replacement=false"),
        (Lane("cilium", dataplane="replacement"), "--kube-proxy-replacement=true"),
    ],
    ids=lambda value: value.key if isinstance(value, Lane) else "",
)
def test_the_dataplane_is_the_one_that_was_chosen(tmp_path: Path, lane: Lane, words: str) -> None:
    crds = tmp_path / "crds.yaml"
    crds.write_text(CRD, encoding="utf-8")

    assert words in lane.value.manifests(images(crds), control_plane="lab-control-plane")


@pytest.fixture
def objects(text: str) -> list[dict[str, Any]]:
    return [body for body in yaml.safe_load_all(text) if body]


def of_kind(objects: list[dict[str, Any]], *kinds: str) -> list[dict[str, Any]]:
    found = [body for body in objects if body["kind"] in kinds]
    assert found, f"no {kinds}"
    return found


def rules(objects: list[dict[str, Any]]) -> Iterator[dict[str, list[str]]]:
    for role in of_kind(objects, "ClusterRole", "Role"):
        yield from role["rules"]


def test_no_parameter_is_left_unfilled(text: str) -> None:
    assert "{{" not in text


def test_custom_resources_come_before_what_uses_them(objects: list[dict[str, Any]]) -> None:
    assert objects[0]["kind"] == "CustomResourceDefinition"
    assert len(of_kind(objects, "DaemonSet")) == 1


def test_rights_have_no_wildcard(objects: list[dict[str, Any]]) -> None:
    for rule in rules(objects):
        for words in rule.values():
            assert not [word for word in words if "*" in word], rule


def test_rights_include_no_secret_and_no_escalation(objects: list[dict[str, Any]]) -> None:
    for rule in rules(objects):
        assert "secrets" not in rule["resources"]
        assert not {"escalate", "bind", "impersonate"} & set(rule["verbs"])


@calico_only
def test_tokens_are_for_the_plugin_account_alone(objects: list[dict[str, Any]]) -> None:
    tokens = [rule for rule in rules(objects) if "serviceaccounts/token" in rule["resources"]]

    assert [rule["resourceNames"] for rule in tokens] == [["calico-cni-plugin"]]


def test_bindings_name_our_own_roles_never_cluster_admin(objects: list[dict[str, Any]]) -> None:
    roles = {
        (body["kind"], body["metadata"]["name"]) for body in of_kind(objects, "ClusterRole", "Role")
    }

    for binding in of_kind(objects, "ClusterRoleBinding", "RoleBinding"):
        reference = binding["roleRef"]
        assert (reference["kind"], reference["name"]) in roles


def test_every_subject_of_a_binding_is_an_account_that_is_made(
    objects: list[dict[str, Any]],
) -> None:
    accounts = {body["metadata"]["name"] for body in of_kind(objects, "ServiceAccount")}

    for binding in of_kind(objects, "ClusterRoleBinding", "RoleBinding"):
        assert {subject["name"] for subject in binding["subjects"]} <= accounts


def test_every_image_is_one_that_the_cluster_has_and_is_never_pulled(
    cni: str, objects: list[dict[str, Any]]
) -> None:
    (daemon_set,) = of_kind(objects, "DaemonSet")
    spec = daemon_set["spec"]["template"]["spec"]
    containers = spec["initContainers"] + spec["containers"]

    assert daemon_set["metadata"]["name"] == cni_of(cni).daemon_set
    assert {container["image"] for container in containers} == set(IMAGES[cni].values())
    assert {container["imagePullPolicy"] for container in containers} == {"IfNotPresent"}


def test_agents_reach_the_api_by_the_name_of_the_control_plane(
    objects: list[dict[str, Any]],
) -> None:
    (daemon_set,) = of_kind(objects, "DaemonSet")
    spec = daemon_set["spec"]["template"]["spec"]

    asking = [c for c in spec["initContainers"] + spec["containers"] if "env" in c]
    assert spec["containers"][0] in asking
    for container in asking:
        env = {entry["name"]: entry.get("value") for entry in container["env"]}
        assert env["KUBERNETES_SERVICE_HOST"] == "lab-control-plane"
        assert env["KUBERNETES_SERVICE_PORT"] == "6443"


@calico_only
def test_pods_wait_for_their_policy_before_they_run(objects: list[dict[str, Any]]) -> None:
    (conflist,) = of_kind(objects, "ConfigMap")
    plugin = yaml.safe_load(conflist["data"]["conflist"])["plugins"][0]

    assert plugin["policy_setup_timeout_seconds"] > 0


def test_nothing_but_its_own_books_and_status_is_ever_changed(
    cni: str, objects: list[dict[str, Any]]
) -> None:
    for rule in rules(objects):
        if {"update", "patch", "delete"} & set(rule["verbs"]):
            assert set(rule["resources"]) <= WRITTEN[cni], rule


@calico_only
def test_configuration_of_the_plugin_appears_only_when_the_node_is_set_up(
    objects: list[dict[str, Any]],
) -> None:
    (daemon_set,) = of_kind(objects, "DaemonSet")
    install, start = daemon_set["spec"]["template"]["spec"]["initContainers"]
    mounts = {mount["mountPath"]: mount["name"] for mount in install["volumeMounts"]}
    script = start["command"][-1].splitlines()

    assert mounts["/host/etc/cni/net.d"] == "cni-draft"
    assert script[-1] == "mv 10-calico.new 10-calico.conflist"


@pytest.mark.parametrize("cni", CNIS)
def test_images_that_were_made_without_the_cni_say_so(cni: str, tmp_path: Path) -> None:
    without = replace(images(tmp_path), cnis={})

    with pytest.raises(ImageUnavailable, match=f"do not have the CNI {cni}"):
        Lane(cni).value.manifests(without, control_plane="lab-control-plane")
