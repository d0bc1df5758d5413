"""Where the images of a cluster come from: registry, bundle, or built here from packages.

`provide` gets them; importing it brings the engine, the bundle and the builder along.
"""

from __future__ import annotations

from harness.edge.images.model import ClusterImages, Source

__all__ = ["ClusterImages", "Source"]
