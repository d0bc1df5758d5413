"""The lines that containers log during a measurement, with their times."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from harness.edge.api.kube import Kube

WINDOW = 20
"""Seconds of a log that are read: more than a measurement lasts."""


def logged_since(
    kube: Kube, namespace: str, pod: str, since: datetime
) -> Iterator[tuple[str, str]]:
    """The lines that a live pod logged from `since` on, each with its time (RFC 3339 in UTC).

    All times have the same format, so they can be compared as texts.
    """
    log = kube.logs(namespace, pod, since_seconds=WINDOW, timestamps=True)
    for stamped in log.splitlines():
        stamp, _, line = stamped.partition(" ")
        if stamp >= since.strftime("%Y-%m-%dT%H:%M:%S.%fZ"):
            yield stamp, line
