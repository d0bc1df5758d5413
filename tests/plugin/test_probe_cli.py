"""`policylab probe` and `policylab watch`: what they print, write, and end with."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import NoReturn

import pytest

from harness import cli
from harness.commands.shared.access import Access
from harness.commands.shared.livepods import allow, port_of, targets_of
from harness.core.manifests.reader import parse
from harness.core.model import ContainerPort, Pod, Protocol
from harness.core.observation import Phase
from harness.errors import ClusterNotReady, ContentError
from harness.exitcode import ExitCode
from tests.fakes.cluster import FakeCluster
from tests.fakes.lies import Lie
from tests.fakes.packet import Met, Packet

BASE = """
apiVersion: v1
kind: Namespace
metadata: {name: shop}
""" + "".join(
    f"""---
apiVersion: v1
kind: Pod
metadata: {{name: {name}, namespace: shop, labels: {{app: {name}}}}}
spec:
  hostNetwork: {on_host}
  containers: [{{name: c, image: nginx, ports: [{{containerPort: {port}}}]}}]
"""
    for name, on_host, port in (("web", "false", 80), ("api", "false", 80), ("proxy", "true", 81))
)
DENY = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny, namespace: shop}
spec: {podSelector: {matchLabels: {app: api}}, policyTypes: [Ingress]}
"""
API, WEB = ("shop", "api"), ("shop", "web")


@dataclass(frozen=True, slots=True)
class Closes(Lie):
    """Something that is no policy drops what web sends to api, from a moment on."""

    since: float = 0.0

    def met(self, packet: Packet, met: Met) -> Met:
        closed = (packet.source, packet.target) == (WEB, API) and packet.at >= self.since
        return replace(met, phase=Phase.TIMEOUT, data=b"") if closed else met


@dataclass(frozen=True, slots=True)
class Wavers(Lie):
    """Of what web sends to api, every second packet is dropped, the first one among them."""

    sent: Iterator[int] = field(default_factory=count)

    def met(self, packet: Packet, met: Met) -> Met:
        dropped = (packet.source, packet.target) == (WEB, API) and next(self.sent) % 2 == 0
        return replace(met, phase=Phase.TIMEOUT, data=b"") if dropped else met


def shop(*texts: str, lie: Lie | None = None) -> FakeCluster:
    """A running cluster with the pods web and api and one on its node's network, and policies."""
    cluster = FakeCluster(lie=lie)
    for resource in parse("---".join((BASE, *texts)), origin="shop.yaml"):
        cluster.apply(resource.body)
    cluster.clock.take(1.0)
    return cluster


def on(cluster: FakeCluster, *, owned: bool = True) -> Access:
    """The way to that cluster, as the commands take it."""
    value = replace(cluster.value(), owned=owned, context="" if owned else "prod")
    return Access(open=lambda *_: value, running=lambda _: value, doors=lambda _: cluster)


def main(cluster: FakeCluster, *words: str) -> ExitCode:
    return cli.main(words, on(cluster))


@pytest.fixture
def policies(tmp_path: Path) -> Path:
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "deny.yaml").write_text(DENY)
    return folder


@pytest.mark.parametrize(
    ("cluster", "code"),
    [
        (shop(DENY), ExitCode.OK),
        (shop(), ExitCode.DIFFERS),
        (shop(lie=Wavers()), ExitCode.NO_VERDICT),
    ],
)
def test_exit_code_says_whether_the_cluster_does_what_policies_say(
    policies: Path, cluster: FakeCluster, code: ExitCode
) -> None:
    assert main(cluster, "probe", "shop", "--expect", str(policies)) == code


def test_difference_is_named_with_both_answers(
    policies: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(shop(), "probe", "shop", "--expect", str(policies))

    said = " ".join(capsys.readouterr().out.split())
    assert "differs: shop/web -> pod/shop/api:80: expected deny, observed allow" in said
    assert "note: shop/proxy is on the host network" in said


CROWD = "---".join(
    f"""
apiVersion: v1
kind: Pod
metadata: {{name: many-{number}, namespace: shop, labels: {{app: many, one: "{number}"}}}}
spec:
  containers: [{{name: c, image: nginx, ports: [{{containerPort: 80}}]}}]
"""
    for number in range(10)
)


@pytest.mark.parametrize("expect", [True, False])
def test_sample_probes_a_part_and_says_what_it_cannot_see(
    policies: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], *, expect: bool
) -> None:
    file = tmp_path / "matrix.json"
    words = ["--expect", str(policies)] if expect else []

    code = main(
        shop(DENY, CROWD), "probe", "shop", "--sample", "classes", "--json", str(file), *words
    )

    document = json.loads(file.read_text())
    said = " ".join(capsys.readouterr().out.split())
    assert code == ExitCode.OK
    assert 12 <= document["summary"]["cells"] < 40  # of 12 x 11
    assert {cell["verdict"] for cell in document["cells"]} == {"allow", "deny"}
    assert "of 132 flows are probed" in said
    assert "cannot see a fault of single pods" in said


def test_matrix_is_written_as_json_and_as_a_picture(tmp_path: Path) -> None:
    files = tmp_path / "matrix.json", tmp_path / "matrix.svg"

    assert main(shop(DENY), "probe", "shop", "--json", str(files[0]), "--svg", str(files[1])) == 0

    document = json.loads(files[0].read_text())
    assert document["summary"] == {
        "cells": 4,
        "blocked": 1,
        "reached": 3,
        "differ": 0,
        "without verdict": 0,
    }
    assert files[1].read_text().startswith("<svg")


def test_probers_listen_where_nobody_does(capsys: pytest.CaptureFixture[str]) -> None:
    ports = ["--port", "80", "--port", "8053/udp"]

    assert main(shop(DENY), "probe", "shop", "--listen", *ports) == 0

    said = " ".join(capsys.readouterr().out.split())
    assert "note: shop/web tcp/80: EADDRINUSE: the prober cannot listen on this port" in said
    assert "8 cells, 2 blocked, 6 reached" in said


def test_fault_of_the_machine_has_its_own_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    def none(name: str) -> NoReturn:
        raise ClusterNotReady(f"the cluster {name} does not run")

    assert cli.main(["probe", "shop"], Access(running=none)) == ExitCode.FAULT
    assert "policylab-calico does not run" in capsys.readouterr().err


@pytest.mark.parametrize("yes", [False, True])
def test_pods_of_a_foreign_cluster_are_touched_only_with_yes(
    capsys: pytest.CaptureFixture[str], yes: bool
) -> None:
    cluster = shop()
    words = ["probe", "shop", "--context", "prod", *(["--yes"] if yes else [])]

    assert cli.main(words, on(cluster, owned=False)) == (ExitCode.OK if yes else ExitCode.USAGE)

    added = [call for call in cluster.calls if call.startswith("probe")]
    assert added == (["probe shop/web", "probe shop/api"] if yes else [])
    said = capsys.readouterr().err
    assert ("--yes" in said) is not yes
    assert ("until its pod ends" in " ".join(said.split())) is not yes


def test_of_many_foreign_pods_the_refusal_counts_those_that_it_does_not_name() -> None:
    cluster = replace(shop().value(), owned=False, context="prod")
    pods = [Pod("shop", f"p{number}", {}) for number in range(6)]

    with pytest.raises(ContentError) as caught:
        allow(cluster, pods, allowed=False, how="--yes")

    assert caught.value.seen == "shop/p0, shop/p1, shop/p2, shop/p3, shop/p4, and 1 more"


@pytest.mark.parametrize("text", ["", "0", "65536", "80/sctp", "http", "80/tcp/udp"])
def test_port_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="write 80"):
        port_of(text)


def test_port_may_name_its_protocol() -> None:
    assert port_of("53/udp") == ContainerPort(53, Protocol.UDP)
    assert port_of("80") == ContainerPort(80, Protocol.TCP)


def test_named_port_takes_the_place_of_declared_ones() -> None:
    targets, notes = targets_of(
        [Pod("shop", "web", {}, (ContainerPort(80),))], [ContainerPort(53, Protocol.UDP)]
    )

    assert [str(target) for target in targets] == ["pod/shop/web:53/udp"]
    assert notes == []


def test_pods_without_ports_need_a_named_one() -> None:
    with pytest.raises(ContentError, match="declares a port"):
        targets_of([Pod("shop", "idle", {})], None)


def test_watch_tells_each_flip_and_sums_up(capsys: pytest.CaptureFixture[str]) -> None:
    cluster = shop(lie=Closes(since=1.1))

    assert main(cluster, "watch", "shop", "--every", "0.01", "--seconds", "0.2") == 0

    said = " ".join(capsys.readouterr().out.split())
    assert "shop/web -> pod/shop/api:80: connected -> timeout (after" in said
    assert "1 of 4 flows flipped" in said


def test_watch_ends_with_its_summary_at_ctrl_c(capsys: pytest.CaptureFixture[str]) -> None:
    @dataclass(frozen=True, slots=True)
    class Interrupts(Lie):
        """Somebody presses Ctrl-C during the first look."""

        def met(self, packet: Packet, met: Met) -> Met:
            raise KeyboardInterrupt

    assert main(shop(lie=Interrupts()), "watch", "shop") == 0
    assert "0 of 0 flows flipped" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("target", "nearest"),
    [
        ("pod/shop/apy:80", "shop/web -> pod/shop/api:80"),
        ("shop/api:80/TCP", "pod/shop/api:80"),
    ],
)
def test_watch_knows_its_flows_and_suggests_the_nearest(
    capsys: pytest.CaptureFixture[str], target: str, nearest: str
) -> None:
    assert main(shop(), "watch", "shop", "--flow", "shop/web", target) == ExitCode.USAGE
    said = " ".join(capsys.readouterr().err.split())
    assert "where: --flow" in said
    assert f"try: did you mean `{nearest}`?" in said


def test_watch_looks_at_the_flows_that_were_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    cluster = shop(lie=Closes(since=1.1))
    flow = ["--flow", "shop/web", "pod/shop/api:80"]

    assert main(cluster, "watch", "shop", *flow, "--every", "0.01", "--seconds", "0.2") == 0
    assert "1 of 1 flows flipped" in capsys.readouterr().out
