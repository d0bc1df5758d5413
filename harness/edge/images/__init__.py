"""The images of a cluster, from a registry, from a bundle, or built here from packages.

`provide` gets them; its import also loads the engine, the bundle and the builder.
"""

from __future__ import annotations

from harness.edge.images.model import ClusterImages, Official, Source

__all__ = ["ClusterImages", "Official", "Source"]
