"""Which live pod a name of a table stands for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.core.manifests.reader import Resource, parse
from harness.core.predict.scenario import Scenario
from harness.core.probe.attempts import Item
from harness.core.target import PodRef
from harness.edge.api.kubectl import Kubectl
from harness.edge.api.livenames import LiveNames
from harness.edge.probe.pods import Pods
from harness.edge.probe.programs.replay import Replayer
from harness.edge.probe.streams import StreamProber
from harness.errors import ClusterNotReady, ProbeError
from tests.fakes.kube import FakeKube

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: "localhost/policylab/nginx:lab"}]}
"""
POD = """
apiVersion: v1
kind: Pod
metadata: {name: job, namespace: shop, labels: {app: web}}
spec: {containers: [{name: c, image: nginx}]}
"""
WEB_1, WEB_2, JOB = PodRef("shop", "web-1"), PodRef("shop", "web-2"), PodRef("shop", "job")


def owned(kind: str, name: str, uid: str, owner: str, revision: str = "") -> dict[str, Any]:
    return {
        "kind": kind,
        "metadata": {
            "namespace": "shop",
            "name": name,
            "uid": uid,
            "annotations": {"deployment.kubernetes.io/revision": revision},
            "ownerReferences": [{"uid": owner, "controller": True}],
        },
    }


def replica_set(name: str, uid: str, revision: str) -> dict[str, Any]:
    return owned("ReplicaSet", name, uid, "dep", revision)


def pod(name: str, owner: str = "set-1", *, going: bool = False) -> dict[str, Any]:
    body = owned("Pod", name, f"uid-{name}", owner)
    body["metadata"]["labels"] = {"app": "web"}
    if going:
        body["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    body["status"] = {
        "conditions": [{"type": "Ready", "status": "True"}],
        "podIP": f"10.0.0.{len(name)}",
    }
    return body


def shop(*pods: dict[str, Any]) -> FakeKube:
    """An API with the Deployment `web`, its first ReplicaSet, a Service, and these pods."""
    kube = FakeKube()
    web = owned("Deployment", "web", "dep", "", revision="1")
    web["metadata"]["generation"] = 1
    service = {"clusterIP": "10.1.0.1", "selector": {"app": "web"}}
    kube.put(
        {**web, "status": {"observedGeneration": 1}},
        replica_set("web-a", "set-1", "1"),
        {"kind": "Service", "metadata": {"namespace": "shop", "name": "web"}, "spec": service},
        *pods,
    )
    return kube


def probed(kube: FakeKube) -> list[str]:
    return [call.removeprefix("probe shop/") for call in kube.calls if call.startswith("probe")]


def pods_on(kube: FakeKube, names: LiveNames | None = None) -> Pods:
    return Pods(kube, {"nginx": "node/nginx:1"}, names or LiveNames())


def deployment(text: str = DEPLOYMENT) -> tuple[Resource, ...]:
    return parse(text, origin="f.yaml")


def test_replicas_are_numbered_in_the_order_of_their_names() -> None:
    kube, names = shop(pod("web-a-zz"), pod("web-a-b")), LiveNames()
    pods = pods_on(kube, names)

    pods.start(deployment())

    assert pods.known == (WEB_1, WEB_2)
    assert [names.of(ref) for ref in (WEB_1, WEB_2)] == ["web-a-b", "web-a-zz"]
    assert pods.host_name(WEB_2) == "web-a-zz"
    assert (pods.address(WEB_1), pods.address(WEB_2)) == (("10.0.0.7",), ("10.0.0.8",))
    assert probed(kube) == ["web-a-b", "web-a-zz"]


def test_pod_keeps_its_own_name() -> None:
    names = LiveNames()
    pods = pods_on(shop(pod("job", owner="")), names)

    pods.start(parse(POD, origin="f.yaml"))

    assert names.of(JOB) == "job"
    assert pods.bodies([JOB])[0]["metadata"] == {"namespace": "shop", "name": "job"}


def test_pod_with_the_same_labels_is_none_of_the_deployments() -> None:
    kube, names = shop(pod("web-a-b"), pod("intruder", owner=""), pod("web-a-c")), LiveNames()

    pods_on(kube, names).start(deployment())

    assert [names.of(ref) for ref in (WEB_1, WEB_2)] == ["web-a-b", "web-a-c"]


def test_rollout_is_waited_for_until_the_last_old_pod_is_gone() -> None:
    kube, names = shop(pod("web-a-b"), pod("web-a-c")), LiveNames()
    pods = pods_on(kube, names)
    pods.start(deployment())
    web = kube.objects["Deployment", "shop", "web"]
    web["metadata"]["generation"] = 2

    def seen() -> None:
        web["metadata"]["annotations"]["deployment.kubernetes.io/revision"] = "2"
        web["status"]["observedGeneration"] = 2
        kube.put(replica_set("web-b", "set-2", "2"))

    def surged() -> None:
        kube.put(pod("web-b-x", "set-2"), pod("web-b-y", "set-2"))

    def going() -> None:
        kube.put(pod("web-a-b", going=True))
        kube.remove(("Pod", "shop", "web-a-c"))

    def done() -> None:
        kube.remove(("Pod", "shop", "web-a-b"))

    later = kube.clock.later = [seen, surged, going, done]
    pods.start(deployment())

    assert later == []
    assert [names.of(ref) for ref in (WEB_1, WEB_2)] == ["web-b-x", "web-b-y"]
    assert probed(kube)[2:] == ["web-b-x", "web-b-y"]


def test_replica_that_never_comes_is_a_fault_that_counts_them() -> None:
    with pytest.raises(ClusterNotReady) as caught:
        pods_on(shop(pod("web-a-b"))).start(deployment())

    assert "the Deployment shop/web" in caught.value.what
    assert caught.value.seen == "1 of 2 pods, and 0 old ones"


def test_deployment_that_asks_for_no_prober_is_not_waited_for() -> None:
    kube = shop()
    text = DEPLOYMENT.replace("{name: web,", "{name: web, annotations: {policylab/prober: none},")
    pods = pods_on(kube)

    pods.start(deployment(text))

    assert (probed(kube), pods.known) == ([], ())


def test_replicas_stand_behind_their_service() -> None:
    pods = pods_on(shop(pod("web-a-b"), pod("web-a-c")))
    pods.start(deployment())
    service = (
        "apiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: shop}\n"
        "spec: {selector: {app: web}, ports: [{port: 80}]}\n"
    )

    pods.refresh_services(Scenario(parse(service, origin="f.yaml")))

    assert set(pods.backends("shop", "web")) == {WEB_1, WEB_2}


def test_forgotten_pod_is_none_of_ours_any_more() -> None:
    names = LiveNames()
    pods = pods_on(shop(pod("web-a-b"), pod("web-a-c")), names)
    pods.start(deployment())

    pods.forget([WEB_1])

    assert names.of(WEB_1) == "web-1"
    with pytest.raises(ProbeError, match="does not run"):
        pods.address(WEB_1)
    assert [body["metadata"]["name"] for body in pods.bodies([WEB_1, WEB_2])] == ["web-a-c"]


def test_template_is_applied_with_our_image_and_without_grace() -> None:
    (resource,) = deployment()

    body = pods_on(shop()).as_applied(dict(resource.body))

    spec = body["spec"]["template"]["spec"]
    assert spec["containers"][0]["image"] == "node/nginx:1"
    assert spec["terminationGracePeriodSeconds"] == 0


def kubectl(folder: Path) -> Path:
    """Writes down how it was called, and fails as where the command in the pod failed."""
    path = folder / "kubectl"
    path.write_text(
        f'#!/bin/sh\necho "$@" >{folder}/called\n'
        "echo command terminated with exit code 3 >&2\nexit 3\n"
    )
    path.chmod(0o755)
    return path


def test_command_is_run_in_the_live_pod(tmp_path: Path) -> None:
    names = LiveNames()
    names.learn({WEB_2: "web-a-zz"})

    real = Kubectl(kubectl(tmp_path), tmp_path / "config")
    said = Replayer(real, names).run(WEB_2, ["curl", "x"])

    assert said.command == "kubectl exec --namespace=shop web-a-zz -- curl x"
    assert "--namespace=shop web-a-zz -- curl x" in (tmp_path / "called").read_text()


def test_probe_is_sent_from_the_live_pod(tmp_path: Path) -> None:
    with StreamProber(kubectl(tmp_path), tmp_path / "config") as prober:
        prober.names.learn({WEB_2: "web-a-zz"})
        answer = prober.round({WEB_2: [Item("a", "tcp", "127.0.0.1", 9)]})

    assert answer[WEB_2].problem
    assert "exec -i --namespace=shop web-a-zz" in (tmp_path / "called").read_text()
