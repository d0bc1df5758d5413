"""An agent of a node: its sockets are in the network namespaces of the pods that it entered."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from harness.core.probe.greeting import Reply, greeting, reply_of
from harness.edge.probe.agent import main as agent_main
from harness.edge.probe.agent.spaces import Spaces
from tests.edge.probe.test_agent_inside import HOST, Inside

POD, CONTAINER = "shop/web", "0123456789abcdef"
PORT = 18080


@pytest.fixture
def pod(tmp_path: Path) -> Iterator[Path]:
    """A process in a network namespace of its own, as a node's /proc would show a pod's."""
    unshare = shutil.which("unshare")
    ready = "ip link set lo up 2>/dev/null; echo ready; exec sleep 60"
    if unshare is None:
        pytest.skip("needs unshare")
    child = subprocess.Popen(
        [unshare, "--net", "sh", "-c", ready], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        assert child.stdout is not None
        if child.stdout.readline() != b"ready\n":
            pytest.skip("needs the right to make a network namespace")
        yield _proc(tmp_path, child.pid)
    finally:
        child.kill()
        child.communicate()


def _proc(folder: Path, process: int) -> Path:
    for name, text in (("7", "0::/system.slice\n"), ("8", f"1:cpu:/kubepods/{CONTAINER}\n")):
        (folder / name / "ns").mkdir(parents=True)
        (folder / name / "cgroup").write_text(text)
    (folder / "8" / "ns" / "net").symlink_to(f"/proc/{process}/ns/net")
    (folder / "8" / "root" / "etc").mkdir(parents=True)
    (folder / "8" / "root" / "etc" / "resolv.conf").write_text("nameserver 10.96.0.10\n")
    (folder / "self" / "ns").mkdir(parents=True)
    (folder / "self" / "ns" / "net").symlink_to("/proc/self/ns/net")
    return folder


@pytest.fixture
def agent(pod: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Inside]:
    monkeypatch.setattr(agent_main, "Spaces", partial(Spaces, str(pod)))
    made = Inside()
    yield made
    made.end()


def test_pod_is_found_by_its_container_and_the_reason_is_given_where_it_is_not(
    agent: Inside,
) -> None:
    entered = agent.ask(enter={POD: CONTAINER, "shop/gone": "fedcba9876543210"})["entered"]

    assert entered[POD] == {"resolv_conf": "nameserver 10.96.0.10\n"}
    assert "no process" in entered["shop/gone"]["error"]


def test_listener_and_probe_are_in_the_pods_own_namespace(agent: Inside) -> None:
    agent.ask(enter={POD: CONTAINER})
    doors = [{"proto": "tcp", "port": PORT, "pod": POD}]

    opened = agent.ask(listen=doors, name="")["listening"]

    assert opened == {f"{POD} tcp/{PORT}": ""}
    sent = {"proto": "tcp", "addr": HOST, "port": PORT, "offsets": [0.0], "want": "bytes"}
    sent["payload"] = base64.b64encode(greeting("n1")).decode()
    items = [{**sent, "id": "inside", "pod": POD}, {**sent, "id": "outside"}]
    found = agent.ask(deadline=0.3, items=items)["items"]
    assert reply_of(base64.b64decode(found["inside"][0]["data"])) == Reply(POD, "n1")
    assert found["outside"][0]["phase"] == "refused"
    assert list(agent.ask(heard=True)["heard"][POD]) == ["n1"]


def test_pod_that_was_not_entered_is_an_error_and_no_denial(agent: Inside) -> None:
    item = {"id": "a", "proto": "tcp", "addr": HOST, "port": PORT, "offsets": [0.0], "want": "none"}

    found = agent.ask(deadline=0.2, items=[{**item, "pod": POD, "payload": ""}])

    assert found["items"]["a"][0]["phase"] == "error"
    assert found["items"]["a"][0]["error"] == "ESRCH"


def test_agent_lets_go_of_a_namespace_that_it_enters_anew(agent: Inside) -> None:
    agent.ask(enter={POD: CONTAINER})
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - the descriptors of this process

    agent.ask(enter={POD: CONTAINER})

    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208


def test_agent_leaves_a_pod_its_listeners_and_its_namespace(agent: Inside) -> None:
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - the descriptors of this process
    agent.ask(enter={POD: CONTAINER})
    agent.ask(listen=[{"proto": "tcp", "port": PORT, "pod": POD}], name="")

    assert agent.ask(leave=[POD, "shop/gone"])["left"] == [POD, "shop/gone"]

    left = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    assert left == before + 1, "the agent's own namespace stays, to go back to"
    sent = {"proto": "tcp", "addr": HOST, "port": PORT, "offsets": [0.0], "want": "none"}
    found = agent.ask(deadline=0.2, items=[{**sent, "id": "a", "pod": POD, "payload": ""}])
    assert found["items"]["a"][0]["error"] == "ESRCH"
