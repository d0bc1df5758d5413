"""On a live cluster: the API server takes and refuses what the corpus of manifests says.

Nothing is made: `kubectl apply --dry-run=server` asks the server to check an object only.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.edge.api.kubectl import kubectl_base
from harness.edge.cluster.lane import Lane
from harness.edge.cluster.running import running
from harness.edge.cluster.state import Cluster, ClusterSpec
from harness.edge.images.versions import short
from harness.edge.machine.process import run
from tests.core.manifests.cases import cases

pytestmark = pytest.mark.live


@pytest.mark.parametrize("taken", [True, False], ids=["accepted", "refused"])
@pytest.mark.parametrize("cni", ["calico", "cilium"])
def test_the_server_does_what_the_corpus_says(
    cni: str, taken: bool, lab_cluster: Cluster, tmp_path: Path
) -> None:
    # Only a cluster with Cilium knows its kinds.
    of_cilium, cluster = cni == "cilium", lab_cluster
    if of_cilium:
        version = short(lab_cluster.environment["kubernetes"])
        cluster = running(ClusterSpec(Lane(cni, version)).cluster)
    chosen = [
        case
        for case in cases()
        if case.taken is taken and case.id.startswith("cilium") is of_cilium
    ]
    for case in chosen:
        (tmp_path / f"{case.id}.yaml").write_text(case.text, encoding="utf-8")

    refused = refused_by(cluster, tmp_path)

    surprising = [case.id for case in chosen if (case.id in refused) is taken]
    assert chosen
    assert surprising == []


def refused_by(cluster: Cluster, folder: Path) -> set[str]:
    """The names of the files that the server refuses; kubectl goes on after a refusal."""
    base = kubectl_base(cluster.kubectl, cluster.kubeconfig, cluster.context)
    words = [*base, "apply", "--dry-run=server", "-f", str(folder)]
    done = run(words, timeout=120, check=False)
    return set(re.findall(rf"{re.escape(str(folder))}/([^\s\":]+)\.yaml", done.stderr))
