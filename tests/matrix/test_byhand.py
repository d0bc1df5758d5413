"""The labs on a cluster that policylab did not make. `make matrix` runs this: it takes minutes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from harness.edge.images.model import LAB_IMAGES
from harness.edge.machine.docker import DOCKER
from harness.edge.machine.wait import NotYet, wait_for
from harness.exitcode import ExitCode
from tests.matrix.byhand import CONTEXT, NODE, ByHand, by_hand

pytestmark = pytest.mark.live

ROOT = Path(__file__).parents[2]
RUN_SECONDS = 600
KINDS = (
    "namespaces,clusterroles,clusterrolebindings,customresourcedefinitions,globalnetworkpolicies"
)
INTERNET = "policylab-internet"


class Ran(NamedTuple):
    """A run of a lab: its exit code, its report, and all that it printed."""

    code: int
    document: dict[str, Any]
    output: str

    @property
    def unchecked(self) -> dict[str, str]:
        """Why each row was not checked."""
        return {
            row["id"]: row["problem"]
            for row in self.document["rows"]
            if row["status"] == "not_checked"
        }

    @property
    def wrong(self) -> list[str]:
        """The rows that failed."""
        return [row["id"] for row in self.document["rows"] if row["status"] == "fail"]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ByHand]:
    with by_hand(tmp_path_factory.mktemp("byhand")) as made:
        yield made


def environment(cluster: ByHand) -> dict[str, str]:
    path = f"{cluster.images.kubectl.parent}:{os.environ['PATH']}"
    return {**os.environ, "KUBECONFIG": str(cluster.kubeconfig), "PATH": path}


def run(cluster: ByHand, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a module of Python with the cluster's kubeconfig; its output is one text."""
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env=environment(cluster),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
    )


def labs(cluster: ByHand, reports: Path, *args: str) -> Ran:
    """Run two tutorials on the cluster."""
    command = ["pytest", "labs/lab12_zero_trust", "labs/netpol_by_example"]
    command += [f"--lab-context={CONTEXT}", f"--lab-report-dir={reports}", *args]
    done = run(cluster, *command)
    document = json.loads((reports / "latest" / "labs.json").read_text("utf-8"))
    return Ran(done.returncode, document, done.stdout)


@pytest.fixture(scope="module")
def loaded(cluster: ByHand) -> str:
    """What `images load --into` says; before it, the node has none of the images."""
    names = cluster.kubectl("get", "nodes", "-o", "jsonpath={.items[*].status.images[*].names}")
    assert "coredns" in names
    done = run(cluster, "harness.cli", "images", "load", f"--into={CONTEXT}")
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_images_are_loaded_into_each_node(cluster: ByHand, loaded: str) -> None:
    assert NODE in loaded
    names = cluster.kubectl("get", "nodes", "-o", "jsonpath={.items[*].status.images[*].names}")
    assert all(cluster.images.refs[name] in names for name in LAB_IMAGES)
    assert DOCKER.call("exec", NODE, "ls", "/").stdout.find("lab-images.tar") == -1


@pytest.mark.usefixtures("loaded")
def test_rows_about_the_outside_are_checked_with_the_stand_in(
    cluster: ByHand, tmp_path: Path
) -> None:
    before = {kind: cluster.names(kind) for kind in KINDS.split(",")}

    ran = labs(cluster, tmp_path, "--lab-outside=stand-in")

    assert ran.wrong == [], ran.output
    assert ran.code == ExitCode.NO_VERDICT, ran.output
    told = ran.document["environment"]
    assert told["images"].startswith("on every node: coredns, nginx, redis, toolbox")
    assert told["outside"] == "stand-in"
    passed = [row for row in ran.document["rows"] if row["status"] in ("pass", "erratum")]
    assert [row for row in passed if "net/google.com" in row["flow"]["to"]]
    assert not [name for name in ran.unchecked if "net-google.com" in name]

    def gone() -> None:
        left = {kind: cluster.names(kind) - before[kind] for kind in KINDS.split(",")}
        if any(left.values()):
            raise NotYet(f"{left}")

    wait_for("nothing of the run is left on the cluster", gone, seconds=60)
    assert {kind: cluster.names(kind) for kind in KINDS.split(",")} == before


@pytest.mark.usefixtures("loaded")
def test_rows_about_the_outside_are_checked_with_a_server_of_the_users(
    cluster: ByHand, tmp_path: Path
) -> None:
    found = DOCKER.inspect("container", INTERNET)
    if found is None:
        pytest.skip("no server runs outside of the cluster, on the network of kind")
    server = f"{found['NetworkSettings']['Networks']['kind']['IPAddress']}:80"

    ran = labs(cluster, tmp_path, f"--lab-outside={server}", "-k", "google")

    assert ran.wrong == [], ran.output
    # The server stands for an address. Where the name leads is known to nobody (see the README).
    left = [name for name in ran.unchecked if not re.search("-name-|-questions-|ping", name)]
    assert left == [], ran.unchecked
    assert [row for row in ran.document["rows"] if row["status"] == "pass"]


@pytest.mark.usefixtures("loaded")
def test_without_a_word_rows_about_the_outside_are_not_checked(
    cluster: ByHand, tmp_path: Path
) -> None:
    ran = labs(cluster, tmp_path, "-k", "google")

    assert ran.code == ExitCode.NO_VERDICT
    assert len(ran.unchecked) == len(ran.document["rows"]) > 0
    assert all("--lab-outside" in why or "google.com" in why for why in ran.unchecked.values())


@pytest.mark.usefixtures("loaded")
def test_dead_server_outside_stops_the_run(cluster: ByHand, tmp_path: Path) -> None:
    found = DOCKER.inspect("container", NODE)
    assert found is not None
    dead = f"{found['NetworkSettings']['Networks']['kind']['IPAddress']}:9"
    command = [sys.executable, "-m", "pytest", "labs/lab12_zero_trust", "-k", "google"]
    command += [f"--lab-context={CONTEXT}", f"--lab-report-dir={tmp_path}"]
    done = subprocess.run(
        [*command, f"--lab-outside={dead}"],
        cwd=ROOT,
        env=environment(cluster),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
    )

    assert done.returncode == ExitCode.FAULT, done.stdout
    assert f"the server outside {dead} must accept connections" in done.stdout
