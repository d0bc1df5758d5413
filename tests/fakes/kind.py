"""kind without kind: clusters are names, and what is asked is remembered."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from harness.edge.cluster.kind import Kind
from harness.edge.cluster.state import Home
from harness.edge.machine.patience import Patience
from harness.edge.machine.process import CommandFailed, Completed


class FakeKinds:
    """Every kind of a machine; hand it over as the `kind` of `Tools`.

    `clusters` are the names of all clusters. `asked` has each verb with its cluster. `creating` is
    called when a cluster is to be made, and may raise. A verb in `fails` fails.
    """

    def __init__(self) -> None:
        self.clusters: list[str] = []
        self.asked: list[tuple[str, str]] = []
        self.creating: Callable[[str], None] = self.clusters.append
        self.fails: set[str] = set()

    def __call__(self, name: str, home: Home, program: Path, patience: Patience) -> Kind:
        return _FakeKind(self, name, home, program)

    def ask(self, verb: str, name: str) -> None:
        self.asked.append((verb, name))
        if verb in self.fails:
            done = Completed(("kind", verb), 1, "", "", 0.0)
            raise CommandFailed(f"{verb} failed", done)

    def deleted(self) -> list[str]:
        """The clusters that were deleted, or should have been."""
        return [name for verb, name in self.asked if verb == "delete"]


class _FakeKind(Kind):
    def __init__(self, kinds: FakeKinds, name: str, home: Home, program: Path) -> None:
        super().__init__(name, home, program)
        self._kinds = kinds

    def listed(self) -> list[str]:
        return list(self._kinds.clusters)

    def version(self) -> str:
        return "v0.30.0"

    def export(self, kubeconfig: Path) -> None:
        self._kinds.ask("export", self.name)

    def create(self, config: Path, image: str) -> None:
        self._kinds.ask("create", self.name)
        self._kinds.creating(self.name)

    def load(self, image: str) -> None:
        self._kinds.ask("load", image)

    def delete(self) -> None:
        self._kinds.ask("delete", self.name)
        if self.name in self._kinds.clusters:
            self._kinds.clusters.remove(self.name)
