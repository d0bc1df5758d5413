"""The cache of built parts: one folder for each artefact, named by its key.

An artefact is made under another name and renamed when it is complete. An artefact under its own
name is therefore complete, even if the process that made it was killed. One run builds at a time.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.edge.machine.docker import Docker
from harness.edge.machine.filelock import alone
from harness.edge.machine.patience import PATIENCE, Patience
from harness.progress import Progress

RECORD = "record.json"
SCRATCH = "scratch-"


@dataclass(frozen=True, slots=True)
class Store:
    """The artefacts below one folder."""

    root: Path

    def path(self, name: str, key: str) -> Path:
        """The folder of the finished artefact, which may not exist yet."""
        return self.root / "artefacts" / f"{name}-{key}"

    def has(self, name: str, key: str) -> bool:
        """Whether the artefact exists, which means that it is complete."""
        return (self.path(name, key) / RECORD).is_file()

    @contextmanager
    def making(self, name: str, key: str, record: Mapping[str, Any]) -> Iterator[Path]:
        """An empty folder to build in; it becomes the artefact if the block succeeds."""
        final = self.path(name, key)
        partial = self.root / "partial" / final.name
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        started = time.monotonic()
        try:
            yield partial
            facts = {
                "name": name,
                "key": key,
                "seconds": round(time.monotonic() - started, 1),
                "made": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                **record,
            }
            (partial / RECORD).write_text(
                json.dumps(facts, indent=2, sort_keys=True) + "\n", encoding="utf-8"
            )
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        final.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(final, ignore_errors=True)
        partial.rename(final)

    def record(self, name: str, key: str) -> dict[str, Any]:
        """The record that was written when the artefact was made."""
        facts: dict[str, Any] = json.loads(
            (self.path(name, key) / RECORD).read_text(encoding="utf-8")
        )
        return facts

    def seconds_before(self, name: str) -> float | None:
        """How long the newest artefact of this name took, with whatever key; None if unknown."""
        found = []
        for file in (self.root / "artefacts").glob(f"{name}-*/{RECORD}"):
            with suppress(OSError, ValueError, KeyError, TypeError):
                facts = json.loads(file.read_text(encoding="utf-8"))
                found.append((str(facts["made"]), float(facts["seconds"])))
        return max(found)[1] if found else None

    @contextmanager
    def lock(self, progress: Progress, patience: Patience = PATIENCE) -> Iterator[None]:
        """Let one run build at a time, and remove unfinished artefacts of a killed run.

        Raises:
            EnvironmentFault: another run builds for longer than `patience` allows.
        """
        path, seconds = self.root / "lock", patience.build_turn
        with alone(path, progress, doing="building images", seconds=seconds):
            self._sweep()
            yield

    def prune(self, keep: Iterable[tuple[str, str]]) -> list[str]:
        """Remove outdated artefacts, except the newest of each name; the removed names."""
        kept = {self.path(name, key).name for name, key in keep}
        others: dict[str, list[Path]] = {}
        for path in (self.root / "artefacts").iterdir():
            if path.name not in kept:
                others.setdefault(path.name.rpartition("-")[0], []).append(path)
        dropped = []
        for paths in others.values():
            for path in sorted(paths, key=lambda path: path.stat().st_mtime)[:-1]:
                shutil.rmtree(path, ignore_errors=True)
                dropped.append(path.name)
        return dropped

    def _sweep(self) -> None:
        """Remove the unfinished artefacts of a killed process."""
        for left in (*self.root.glob("partial/*"), *self.root.glob(f"{SCRATCH}*")):
            shutil.rmtree(left, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Workshop:
    """The store of parts, the engine of images, and the receiver of progress messages."""

    store: Store
    docker: Docker
    progress: Progress

    @property
    def patience(self) -> Patience:
        """The deadlines of all steps."""
        return self.docker.patience
