"""Stages on the live cluster for a test's own manifests, and the pods that they have."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from harness.core.manifests.library import Library, namespaces_of
from harness.core.manifests.reader import Resource, parse
from harness.edge.api.namespaces import clear
from harness.edge.stage.stage import Stage
from harness.plays import Live


@contextmanager
def stage_on(live: Live, library: Library) -> Iterator[Stage]:
    """A stage for these manifests; its namespaces are empty at first, and go at the end."""
    made = Stage(
        live.kube,
        live.prober,
        library,
        images=live.cluster.refs,
        internet=live.cluster.internet,
        fence=live.gate.fence,
    )
    clear(live.kube, namespaces_of(library))
    try:
        yield made
    finally:
        made.close()


def web_pods(space: str, *names: str) -> tuple[Resource, ...]:
    """A namespace with web servers on port 80, each with its name as the label `app`."""
    texts = [f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {space}}}\n"]
    texts += [
        f"""
apiVersion: v1
kind: Pod
metadata: {{name: {name}, namespace: {space}, labels: {{app: {name}}}}}
spec:
  automountServiceAccountToken: false
  containers:
    - name: nginx
      image: localhost/policylab/nginx:lab
      imagePullPolicy: IfNotPresent
      ports: [{{containerPort: 80}}]
"""
        for name in names
    ]
    return parse("---".join(texts), origin="pods")
