"""What every step of the images' making needs of its surroundings."""

from __future__ import annotations

from dataclasses import dataclass

from harness.edge.images.store import Store
from harness.edge.machine.docker import Docker
from harness.edge.machine.patience import Patience
from harness.progress import Progress


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where parts are kept, which engine has the images, and who is told what is under way."""

    store: Store
    docker: Docker
    progress: Progress

    @property
    def patience(self) -> Patience:
        """For how long each step may take."""
        return self.docker.patience
