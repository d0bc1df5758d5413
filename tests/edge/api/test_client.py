"""The door to the API, against a server on this machine that answers what a test tells it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import pytest

from harness.edge.api.client import KubeClient
from harness.errors import ClusterNotReady, ContentError

POD = {"name": "pods", "kind": "Pod", "namespaced": True, "verbs": ["get"]}
EPHEMERAL = {**POD, "name": "pods/ephemeralcontainers"}
DISCOVERY: dict[str, Any] = {
    "/version": {"major": "1", "minor": "34"},
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {"kind": "APIGroupList", "groups": []},
    "/api/v1": {"kind": "APIResourceList", "groupVersion": "v1", "resources": [POD, EPHEMERAL]},
}
WEB = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "shop"}}
CONTAINER = {"name": "prober", "image": "toolbox"}


class Answering(BaseHTTPRequestHandler):
    """Tells what kinds there are; answers all else with the statuses of `script`, in turn."""

    script: ClassVar[list[int]] = []
    asked: ClassVar[list[str]] = []
    queries: ClassVar[list[str]] = []
    text: ClassVar[str] = ""  # what is answered to a request for a log

    def log_message(self, *_: object) -> None:
        """Print nothing."""

    def answer(self) -> None:
        """Read the request whole and answer it."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path, _, query = self.path.partition("?")
        status, body = 200, DISCOVERY.get(path)
        if body is None:
            self.asked.append(f"{self.command} {path}")
            self.queries.append(query)
            status = self.script.pop(0) if len(self.script) > 1 else self.script[0]
            body = WEB if status == 200 else {"kind": "Status", "message": f"told to say {status}"}
        text = (self.text if path.endswith("/log") and status == 200 else json.dumps(body)).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_PATCH = do_DELETE = answer  # noqa: N815 - as the library calls them


@pytest.fixture
def kube(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[KubeClient]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    Answering.asked.clear()
    Answering.queries.clear()
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield connected(tmp_path, server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def connected(folder: Path, port: int) -> KubeClient:
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "here", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "users": [{"name": "me", "user": {}}],
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
        "current-context": "here",
    }
    (folder / "kubeconfig").write_text(json.dumps(config), encoding="utf-8")
    return KubeClient(folder / "kubeconfig")


def test_prober_is_added_once_the_conflicts_end(kube: KubeClient) -> None:
    Answering.script = [409, 409, 200]

    kube.add_ephemeral("shop", "web", CONTAINER)

    path = "/api/v1/namespaces/shop/pods/web/ephemeralcontainers"
    assert Answering.asked == [f"PATCH {path}"] * 3


def test_conflicts_without_end_are_waited_for_until_the_deadline_only(kube: KubeClient) -> None:
    Answering.script = [409]

    kube.patience = replace(kube.patience, api_conflict=0.3)

    with pytest.raises(ClusterNotReady, match="takes a prober") as caught:
        kube.add_ephemeral("shop", "web", CONTAINER)

    assert "409" in caught.value.seen
    assert len(Answering.asked) < 10  # with a pause between them


@pytest.mark.parametrize("status", [403, 404, 500])
def test_refusal_of_a_prober_is_not_asked_again(kube: KubeClient, status: int) -> None:
    Answering.script = [status]

    with pytest.raises(ClusterNotReady, match="adds no prober to shop/web"):
        kube.add_ephemeral("shop", "web", CONTAINER)

    assert len(Answering.asked) == 1


def test_object_that_is_not_there_is_none_and_its_deletion_is_fine(kube: KubeClient) -> None:
    Answering.script = [404]

    assert kube.get("v1", "Pod", "web", "shop") is None
    kube.delete(WEB)

    assert len(Answering.asked) == 2


def test_answer_that_is_an_error_names_the_object_and_the_cluster(kube: KubeClient) -> None:
    Answering.script = [403]

    with pytest.raises(ContentError, match="refuses Pod shop/web") as refused:
        kube.apply(WEB)
    with pytest.raises(ContentError, match="does not delete Pod shop/web"):
        kube.delete(WEB)
    with pytest.raises(ClusterNotReady, match="does not show Pod web"):
        kube.get("v1", "Pod", "web", "shop")
    with pytest.raises(ClusterNotReady, match="does not list the Pods of the namespace shop"):
        kube.list("v1", "Pod", "shop")
    with pytest.raises(ClusterNotReady, match="no log of shop/web"):
        kube.logs("shop", "web")

    assert refused.value.where.endswith("kubeconfig")
    assert "told to say 403" in refused.value.seen


@pytest.mark.parametrize("log", ["a line\nand another\n", '{"kind": "Pod"}'])
def test_log_is_a_text_whatever_is_in_it(kube: KubeClient, log: str) -> None:
    Answering.script, Answering.text = [200], log

    said = kube.logs("shop", "web", since_seconds=20, timestamps=True)

    assert said == log
    (asked,) = Answering.queries
    assert asked == "timestamps=true&sinceSeconds=20"


def test_kind_that_the_cluster_lacks_is_the_labs_fault(kube: KubeClient) -> None:
    with pytest.raises(ContentError, match="no kind CiliumNetworkPolicy"):
        kube.list("cilium.io/v2", "CiliumNetworkPolicy")


def test_server_that_is_gone_does_not_answer(kube: KubeClient, tmp_path: Path) -> None:
    with pytest.raises(ClusterNotReady, match="does not answer"):
        connected(tmp_path, 1)


def test_kinds_are_kept_where_no_other_user_can_write(kube: KubeClient, tmp_path: Path) -> None:
    (kept,) = (tmp_path / "cache" / "policylab" / "discovery").iterdir()

    assert kept.parent.stat().st_mode & 0o077 == 0
    assert "osrcp" not in kept.name
