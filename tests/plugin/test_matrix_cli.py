"""`policylab matrix`: what it prints and writes, from files and from a cluster's objects."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from harness import cli
from harness.commands.shared.access import Access
from harness.core.manifests.reader import parse
from harness.exitcode import ExitCode
from tests.core.compare.test_change import PODS, POLICY
from tests.core.compare.test_world import MANY
from tests.fakes.cluster import FakeCluster

SHOP = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n---\n"
BLOCKED = """
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: shop, labels: {app: db}}
spec: {containers: [{name: db, image: x, ports: [{containerPort: 5432}]}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "shop"
    made.mkdir()
    (made / "all.yaml").write_text(MANY + BLOCKED)
    return made


def schema(name: str) -> dict[str, Any]:
    text = files("harness.report").joinpath(f"templates/{name}.schema.json").read_text()
    found: dict[str, Any] = json.loads(text)
    jsonschema.Draft202012Validator.check_schema(found)
    return found


def test_forty_pods_are_one_row_and_unknown_has_its_own_sign(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["matrix", "--manifests", str(folder)]) == ExitCode.OK

    said = capsys.readouterr().out
    (row,) = [
        line for line in said.splitlines() if line.startswith("shop/web-1..web-40 (40 pods) ")
    ]
    assert "\x1b" not in said
    assert "no packet was sent" in said
    assert "? not known" in said
    assert row.split()[3:] == ["-", "-", "-", "-", "-", "+", "-"]
    assert "assumed: CoreDNS as kubeadm installs it: the pod kube-system/coredns" in said
    assert "note: kube-system/coredns only answers here" in said


def test_unknown_is_never_told_as_passing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "all.yaml").write_text(MANY.partition("---")[0] + BLOCKED)

    assert cli.main(["matrix", "--manifests", str(folder), "--format", "json"]) == ExitCode.OK

    document = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator(schema("matrix")).validate(document)
    names = [group["name"] for group in document["groups"]]
    web, db = names.index("shop/web-1..web-40 (40 pods)"), names.index("shop/db")
    assert [
        (cell["ports"], cell["verdict"])
        for cell in document["cells"]
        if (cell["from"], cell["to"]) == (web, db)
    ] == [(["TCP 5432"], "undefined")]


def test_picture_tells_each_flow_in_words(folder: Path, tmp_path: Path) -> None:
    picture = tmp_path / "matrix.svg"

    assert cli.main(["matrix", "--manifests", str(folder), "--svg", str(picture), "-q"]) == 0

    root = ET.fromstring(picture.read_text())  # noqa: S314 - our own
    titles = [element.text for element in root.iter("{http://www.w3.org/2000/svg}title")]
    assert (
        "shop/web-1..web-40 (40 pods) to outside: 203.0.113.0/24: TCP 8000-9000: passes" in titles
    )


def test_quiet_prints_the_summary_only(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["matrix", "--manifests", str(folder), "--quiet"]) == 0

    assert len(capsys.readouterr().out.splitlines()) == 1


def test_neither_files_nor_cluster_is_a_wrong_command_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["matrix"]) == ExitCode.USAGE

    assert "--context NAME" in capsys.readouterr().err


def test_cluster_s_objects_are_read_by_its_api_alone(capsys: pytest.CaptureFixture[str]) -> None:
    cluster = FakeCluster()
    for resource in parse(f"{SHOP}{MANY}{BLOCKED}", origin="shop.yaml"):
        cluster.apply(resource.body)
    cluster.clock.take(1.0)
    value = cluster.value()
    access = Access(owned=lambda: ["mine"], running=lambda _: value, doors=lambda _: cluster)

    assert cli.main(["matrix", "--context", "mine"], access) == ExitCode.OK

    said = capsys.readouterr().out
    assert "from the objects of the cluster mine; no packet was sent" in said
    assert "shop/db: TCP 5432" in said
    assert "(40 pods)" in said


LEFT_OUT = """
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: shop}
spec:
  podSelector: {matchLabels: {app: web}}
  policyTypes: [Ingress]
  egress: [{to: [{podSelector: {matchLabels: {app: nobody}}}]}]
  ingress: [{}]
"""


@pytest.mark.parametrize(
    ("text", "verdict", "own"),
    [
        (POLICY.replace("FROM", "{ipBlock: {cidr: 0.0.0.0/0}}"), "undefined", ("allow", "deny")),
        (LEFT_OUT, "allow", ("", "deny")),
        (POLICY.replace("FROM", "{ipBlock: {cidr: 10.0.0.0/8}}"), "undefined", ("", "deny")),
        (POLICY.replace("FROM", "{podSelector: {}}"), "allow", ("", "")),
    ],
    ids=["both-known", "api-known", "one-known", "all-alike"],
)
def test_a_cni_that_answers_otherwise_is_told_beside_the_api(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    text: str,
    verdict: str,
    own: tuple[str, str],
) -> None:
    (tmp_path / "all.yaml").write_text(PODS + text)

    assert cli.main(["matrix", "--manifests", str(tmp_path), "--format", "json"]) == ExitCode.OK

    document = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator(schema("matrix")).validate(document)
    web, api = (
        next(n for n, g in enumerate(document["groups"]) if f"shop/{name}" in str(g["members"]))
        for name in ("web", "api")
    )
    (cell,) = [c for c in document["cells"] if (c["from"], c["to"]) == (web, api)]
    answers = cell["cni_answers"]
    assert (cell["verdict"], answers.get("calico", ""), answers.get("cilium", "")) == (
        verdict,
        *own,
    )

    assert cli.main(["matrix", "--manifests", str(tmp_path)]) == ExitCode.OK
    assert ("CNIs do not all do what the API says" in capsys.readouterr().out) is any(own)


def test_an_object_that_was_not_read_makes_cells_unknown_and_is_named(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    above = "apiVersion: policy.networking.k8s.io/v1alpha1\nkind: AdminNetworkPolicy\n"
    (folder / "above.yaml").write_text(f"{above}metadata: {{name: above}}\nspec: {{priority: 1}}\n")

    assert cli.main(["matrix", "--manifests", str(folder)]) == ExitCode.OK

    said = capsys.readouterr().out
    assert "not known: AdminNetworkPolicy above" in said
    assert "passes" not in said.splitlines()[-1]
