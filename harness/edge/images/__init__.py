"""Where the images of a cluster come from: registry, bundle, or built here from packages."""

from __future__ import annotations

from harness.edge.images.model import ClusterImages, Source
from harness.edge.images.provide import load, provide, save

__all__ = ["ClusterImages", "Source", "load", "provide", "save"]
