"""The examples of docs/cni: whole, with no more rights than they need, and what they write."""

from __future__ import annotations

import json
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.edge.images.recipe import read_recipes, recipes_home
from harness.edge.machine.health.kernel import FEATURES
from tests.edge.cni.test_manifests import of_kind, rules

HOME = Path(__file__).parents[3] / "docs" / "cni"
EXAMPLES = ("canal", "flannel")
WRITTEN = {"canal": {"nodes/status", "pods/status"}, "flannel": {"nodes/status"}}
SUBNET = "FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=10.244.1.1/24\nFLANNEL_MTU=1450\n"


@pytest.fixture(params=EXAMPLES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def facts(name: str) -> dict[str, Any]:
    return tomllib.loads((HOME / name / "cni.toml").read_text(encoding="utf-8"))


@pytest.fixture
def objects(name: str) -> list[dict[str, Any]]:
    text = (HOME / name / "manifests.yaml").read_text(encoding="utf-8")
    return list(yaml.safe_load_all(text))


def spec_of(objects: list[dict[str, Any]]) -> dict[str, Any]:
    (daemon_set,) = of_kind(objects, "DaemonSet")
    found = daemon_set["spec"]["template"]["spec"]
    assert isinstance(found, dict)
    return found


def test_every_example_is_tested() -> None:
    assert {path.parent.name for path in HOME.glob("*/cni.toml")} == {*EXAMPLES}


def test_facts_name_the_daemon_set(facts: dict[str, Any], objects: list[dict[str, Any]]) -> None:
    (daemon_set,) = of_kind(objects, "DaemonSet")

    assert daemon_set["metadata"]["name"] == facts["daemon_set"]
    assert daemon_set["metadata"]["namespace"] == "kube-system"
    assert set(facts["kernel"]) <= set(FEATURES)


def test_images_are_of_recipes_whose_archives_the_facts_name(
    facts: dict[str, Any], objects: list[dict[str, Any]]
) -> None:
    names = {file.removesuffix(".tar") for file in facts["images"]}
    recipes = read_recipes(recipes_home(), apart=names)
    made = {image.ref for name in names for image in recipes[name].images}
    spec = spec_of(objects)
    used = [*spec.get("initContainers", ()), *spec["containers"]]

    assert {each["image"] for each in used} == made
    assert {each["imagePullPolicy"] for each in used} == {"IfNotPresent"}


def test_rights_are_named_one_by_one(name: str, objects: list[dict[str, Any]]) -> None:
    for rule in rules(objects):
        assert not [word for words in rule.values() for word in words if "*" in word], rule
        assert "secrets" not in rule["resources"]
        assert not {"escalate", "bind", "impersonate", "delete"} & set(rule["verbs"])
        if {"update", "patch"} & set(rule["verbs"]):
            assert set(rule["resources"]) <= WRITTEN[name], rule


def test_bindings_join_roles_and_accounts_of_the_example(objects: list[dict[str, Any]]) -> None:
    roles = {(o["kind"], o["metadata"]["name"]) for o in of_kind(objects, "ClusterRole")}
    roles |= {(o["kind"], o["metadata"]["name"]) for o in objects if o["kind"] == "Role"}
    accounts = {o["metadata"]["name"] for o in of_kind(objects, "ServiceAccount")}
    bindings = [o for o in objects if o["kind"] in ("ClusterRoleBinding", "RoleBinding")]

    for binding in bindings:
        assert (binding["roleRef"]["kind"], binding["roleRef"]["name"]) in roles
        assert {subject["name"] for subject in binding["subjects"]} <= accounts
    assert len(bindings) == len(roles)


def configured(objects: list[dict[str, Any]], home: Path) -> subprocess.CompletedProcess[str]:
    """What the example's own script says where these are the node's folders."""
    (config,) = of_kind(objects, "ConfigMap")
    script = config["data"]["configure"]
    for path in ("/run/flannel", "/etc/cni/net.d"):
        (home / path[1:]).mkdir(parents=True, exist_ok=True)
        script = script.replace(path, str(home / path[1:]))
    script = script.replace("seq 300", "seq 1")  # it waits, and nothing will come
    return subprocess.run(
        ["sh", "-e", "-c", script],
        env={"PATH": "/usr/bin:/bin", "NODE_NAME": "node-1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_plugins_are_configured_once_everything_is_there(
    objects: list[dict[str, Any]], tmp_path: Path
) -> None:
    early = configured(objects, tmp_path)
    folder = tmp_path / "etc/cni/net.d"
    there = list(folder.iterdir())
    (tmp_path / "run/flannel/subnet.env").write_text(SUBNET, encoding="utf-8")
    (folder / "calico-kubeconfig").write_text("kind: Config\n", encoding="utf-8")
    done = configured(objects, tmp_path)

    assert (early.returncode, there) == (1, [])
    assert "subnet.env" in early.stdout
    assert done.returncode == 0, done.stderr
    (file,) = folder.glob("*.conflist")
    first = json.loads(file.read_text(encoding="utf-8"))["plugins"][0]
    assert first["mtu"] == 1450
    if first["type"] == "ptp":  # host-local refuses a network with bits of a host
        assert first["ipam"]["ranges"] == [[{"subnet": "10.244.1.0/24"}]]
    else:
        assert first["nodename"] == "node-1"
        assert first["policy_setup_timeout_seconds"] > 0
