"""The manifests of conformance: rights without a wildcard, and a Job that has them alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

HOME = Path(__file__).parents[3] / "manifests" / "conformance"


def objects(name: str) -> dict[str, dict[str, Any]]:
    found = yaml.safe_load_all((HOME / name).read_text(encoding="utf-8"))
    return {body["kind"]: body for body in found}


@pytest.mark.parametrize(
    ("name", "kind"), [("rbac.yaml", "ClusterRole"), ("rbac-lifecycle.yaml", "Role")]
)
def test_the_rights_have_no_wildcard_and_read_no_secret(name: str, kind: str) -> None:
    rules = objects(name)[kind]["rules"]

    words = {word for rule in rules for part in rule.values() for word in part}
    assert "*" not in words
    assert not {"secrets", "clusterroles", "clusterrolebindings", "escalate", "bind"} & words


def test_nothing_but_what_a_run_makes_may_be_changed() -> None:
    changed = {
        resource
        for rule in objects("rbac.yaml")["ClusterRole"]["rules"]
        if {"create", "patch", "delete"} & set(rule["verbs"])
        for resource in rule["resources"]
    }

    made = {"namespaces", "pods", "services", "networkpolicies", "ciliumnetworkpolicies"}
    assert changed == {*made, "pods/exec"}


def test_the_job_runs_as_the_account_with_these_rights() -> None:
    rights, job = objects("rbac.yaml"), objects("job.yaml")["Job"]
    account = rights["ServiceAccount"]["metadata"]

    pod = job["spec"]["template"]["spec"]
    assert job["metadata"]["namespace"] == account["namespace"]
    assert pod["serviceAccountName"] == account["name"]
    subjects = [{"kind": "ServiceAccount", **account}]
    assert rights["ClusterRoleBinding"]["subjects"] == subjects
    assert objects("rbac-lifecycle.yaml")["RoleBinding"]["subjects"] == subjects
    assert job["spec"]["backoffLimit"] == 0
