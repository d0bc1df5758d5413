"""On a live cluster: `--context NAME` in place of a folder, for verbs that judge flows and names.

`tests/live/test_whatif.py` does the same for `matrix`.
"""

from __future__ import annotations

import pytest

from harness import cli
from harness.core.manifests.reader import parse
from harness.edge.stage.stage import Stage
from harness.plays import Live
from tests.live.stages import web_pods

pytestmark = pytest.mark.live

SPACE = "policylab-context-live"
SHUT = f"""
apiVersion: v1
kind: Service
metadata: {{name: db, namespace: {SPACE}}}
spec: {{selector: {{app: db}}, ports: [{{port: 5432, targetPort: 80}}]}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: only-from-api, namespace: {SPACE}}}
spec:
  podSelector: {{matchLabels: {{app: db}}}}
  policyTypes: [Ingress]
  ingress: [{{from: [{{podSelector: {{matchLabels: {{app: api}}}}}}]}}]
"""
LIBRARY = {"pods": web_pods(SPACE, "web", "api", "db"), "shut": parse(SHUT, origin="shut")}


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("explain", f"{SPACE}/web", f"svc/{SPACE}/db:5432"), ": deny\n"),
        (("explain", f"{SPACE}/api", f"svc/{SPACE}/db:5432"), ": allow\n"),
        (("explain", f"{SPACE}/api", f"name/db.{SPACE}:5432"), ": allow\n"),
        (("dns", f"{SPACE}/web", "db"), f"db.{SPACE}.svc.cluster.local"),
    ],
)
def test_the_objects_of_a_cluster_are_judged_like_files(
    stage: Stage,
    lab_live: Live,
    capsys: pytest.CaptureFixture[str],
    command: tuple[str, str, str],
    words: str,
) -> None:
    stage.enter(["pods", "shut"])
    verb, *ends = command

    assert cli.main([verb, "--context", lab_live.cluster.name, *ends]) == 0
    assert words in capsys.readouterr().out
