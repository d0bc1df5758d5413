"""What every step of the images' making needs of its surroundings."""

from __future__ import annotations

from dataclasses import dataclass

from harness.edge.images.store import Store
from harness.edge.machine.docker import Docker
from harness.progress import Progress


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where parts are kept, which engine has the images, and who is told what is under way."""

    store: Store
    docker: Docker
    progress: Progress
