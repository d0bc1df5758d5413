"""Evidence of a cluster that failed, which is kept before the cluster is deleted."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from harness.edge.api.kubectl import kubectl_base
from harness.edge.cluster.state import Home
from harness.edge.machine.patience import Patience
from harness.edge.machine.process import run
from harness.errors import HarnessError

LOOKS: Sequence[Sequence[str]] = (
    ("get", "nodes,pods", "-A", "-o", "wide"),
    ("get", "events", "-A", "--sort-by=.lastTimestamp"),
    ("-n", "kube-system", "describe", "pods"),
)


def keep(home: Home, kubectl: Path, file: Path, patience: Patience) -> Path:
    """Write kubectl's answers about a cluster and kind's log to `file`, as far as there are any."""
    parts = []
    if home.log.exists():
        parts.append(f"== kind\n{home.log.read_text(encoding='utf-8', errors='replace')}")
    for look in LOOKS:
        with suppress(HarnessError):
            words = [*kubectl_base(kubectl, home.kubeconfig), *look]
            done = run(words, timeout=patience.evidence, check=False)
            parts.append(f"== kubectl {' '.join(look)}\n{done.stdout}{done.stderr}")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(parts), encoding="utf-8")
    return file
