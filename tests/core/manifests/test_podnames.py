"""Pods of workloads get names that no other pod has, so that no pod is lost."""

from __future__ import annotations

from harness.core.manifests.library import in_force
from harness.core.manifests.reader import parse, topology_of

CONTROLLER = """---
apiVersion: apps/v1
kind: {kind}
metadata: {{name: {name}, namespace: shop}}
spec:
  {more}
  selector: {{matchLabels: {{app: {app}}}}}
  template:
    metadata: {{labels: {{app: {app}}}}}
    spec: {{containers: [{{name: c, image: i}}]}}
"""
CRON = """---
apiVersion: batch/v1
kind: CronJob
metadata: {name: web, namespace: shop}
spec:
  schedule: "@daily"
  jobTemplate:
    spec:
      template:
        metadata: {labels: {app: nightly}}
        spec: {restartPolicy: Never, containers: [{name: c, image: i}]}
"""
POD = """---
apiVersion: v1
kind: Pod
metadata: {name: %s, namespace: %s, labels: {app: bare}}
spec: {containers: [{name: c, image: i}]}
"""


def deployment(name: str, app: str, replicas: int = 1) -> str:
    return CONTROLLER.format(kind="Deployment", name=name, app=app, more=f"replicas: {replicas}")


def stateful(name: str, app: str) -> str:
    more = "serviceName: web, replicas: 2".replace(", ", "\n  ")
    return CONTROLLER.format(kind="StatefulSet", name=name, app=app, more=more)


def apps(*texts: str) -> dict[str, str]:
    resources = in_force({"f": parse("".join(texts), origin="f.yaml")}, ["f"])
    return {name: pod.labels["app"] for name, pod in topology_of(resources).pods.items()}


def test_names_that_nobody_else_has_stay() -> None:
    assert apps(deployment("web", "a", 2), POD % ("web-1", "other")) == {
        "shop/web-1": "a",
        "shop/web-2": "a",
        "other/web-1": "bare",
    }


def test_workloads_of_one_name_have_all_their_pods() -> None:
    assert apps(deployment("web", "a", 2), CRON) == {
        "shop/web-1": "a",
        "shop/web-2": "a",
        "shop/web-3": "nightly",
    }


def test_a_pod_that_is_named_keeps_its_name() -> None:
    assert apps(deployment("web", "a", 2), POD % ("web-1", "shop")) == {
        "shop/web-2": "a",
        "shop/web-3": "a",
        "shop/web-1": "bare",
    }
    assert apps(deployment("web", "a"), stateful("web", "b")) == {
        "shop/web-2": "a",
        "shop/web-0": "b",
        "shop/web-1": "b",
    }


def test_no_pod_has_the_name_of_another_workload() -> None:
    assert apps(deployment("web", "a", 2), deployment("web-2", "b")) == {
        "shop/web-1": "a",
        "shop/web-3": "a",
        "shop/web-2-1": "b",
    }
