"""The prober of nodes: one agent for all pods of a node, of which each agent is started anew."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.core.probe.attempts import Item
from harness.core.target import PodRef
from harness.edge.probe.nodes.agents import PREFIX, Agents
from harness.edge.probe.nodes.prober import NodeProber
from harness.edge.probe.wire import Listener
from tests.edge.probe.standin import free_port, kubectl
from tests.fakes.cluster import FakeCluster

HOST = "127.0.0.1"
WEB, API = PodRef("shop", "web"), PodRef("shop", "api")

# Stands in for kubectl: runs the agent here, with namespaces that are all this one. Each agent
# writes its process down, so that a test can end it.
KUBECTL = """
import os, sys
words = sys.argv[sys.argv.index("--") + 2:]
text = words[2].replace("module.main()", '''
import os
class Same:
    def __init__(self):
        self.entered = {""}
    def enter(self, wanted):
        self.entered |= set(wanted)
        return {pod: {"resolv_conf": container} for pod, container in wanted.items()}
    def leave(self, pods):
        self.entered -= set(pods)
    def go(self, pod):
        if pod not in self.entered:
            raise OSError(3, "not entered")
module.Spaces = Same
open(FILE, "a").write(f"{os.getpid()}\\\\n")
module.main()
''').replace("FILE", repr(os.path.join(os.path.dirname(sys.argv[0]), "agents")))
os.execv(sys.executable, [sys.executable, words[0], words[1], text, *words[3:]])
"""


@pytest.fixture
def cluster() -> FakeCluster:
    made = FakeCluster()
    made.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    for pod in (WEB, API):
        meta = {"namespace": pod.namespace, "name": pod.name}
        made.apply({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": _spec(pod.name)})
    return made


def _spec(name: str) -> dict[str, Any]:
    return {"nodeName": "worker", "containers": [{"name": name, "image": name}]}


@pytest.fixture
def prober(cluster: FakeCluster, tmp_path: Path) -> Iterator[NodeProber]:
    with NodeProber(
        cluster, kubectl(tmp_path, KUBECTL), tmp_path / "config", agents=Agents(cluster, "toolbox")
    ) as made:
        made.names.learn({WEB: "web", API: "api"})
        yield made


def agents(folder: Path) -> list[int]:
    return [int(line) for line in (folder / "agents").read_text().split()]


def spaces(cluster: FakeCluster) -> list[str]:
    found = cluster.list("v1", "Namespace")
    return [n for body in found if (n := body["metadata"]["name"]).startswith(PREFIX)]


def phases(prober: NodeProber, pod: PodRef, port: int) -> list[str]:
    item = Item(str(pod), "tcp", HOST, port, offsets=(0.0,))
    found = prober.round({pod: [item]}, deadline=0.3)[pod].unwrap()
    return [f"{each.phase}{each.error}" for each in found[item.id]]


def test_one_agent_serves_all_pods_of_a_node_and_nothing_of_it_stays(
    cluster: FakeCluster, prober: NodeProber, tmp_path: Path
) -> None:
    told = {pod: hello.unwrap() for pod, hello in prober.hellos([WEB, API]).items()}

    assert [told[pod].hostname for pod in (WEB, API)] == ["web", "api"]
    assert len(agents(tmp_path)) == len(spaces(cluster)) == 1
    prober.close()
    assert spaces(cluster) == []


def test_agent_that_broke_is_followed_by_one_that_enters_and_listens_again(
    prober: NodeProber, tmp_path: Path
) -> None:
    port = free_port()
    door = Listener("tcp", port, answers=True)
    assert prober.listen({WEB: [door]})[WEB].unwrap() == {door: ""}
    assert phases(prober, API, port) == ["connected"]
    [process] = agents(tmp_path)

    os.kill(process, signal.SIGKILL)
    answered = prober.round({API: [Item("a", "tcp", HOST, port, offsets=(0.0,))]}, deadline=0.3)

    # The round in which it broke has no verdict, or the next agent made it.
    assert answered[API].problem or answered[API].unwrap()["a"][0].phase == "connected"
    assert phases(prober, API, port) == ["connected"]
    assert len(agents(tmp_path)) == 2


def test_pods_that_go_are_left_and_their_ports_are_shut(prober: NodeProber, tmp_path: Path) -> None:
    port = free_port()
    prober.listen({WEB: [Listener("tcp", port, answers=True)]})

    prober.forget([WEB])

    assert phases(prober, API, port) == ["refused"]
    assert len(agents(tmp_path)) == 1


def test_probers_of_a_run_share_the_pod_of_a_node_and_the_last_one_deletes_it(
    cluster: FakeCluster, prober: NodeProber, tmp_path: Path
) -> None:
    shared = prober._agents
    other = NodeProber(cluster, tmp_path / "kubectl", tmp_path / "config", agents=shared)
    other.names.learn({API: "api"})
    prober.hellos([WEB])
    other.hellos([API])

    assert (len(spaces(cluster)), len(agents(tmp_path))) == (1, 2)

    prober.close()
    assert len(spaces(cluster)) == 1
    assert other.hellos([API])[API].unwrap().hostname == "api"
    other.close()
    assert spaces(cluster) == []
