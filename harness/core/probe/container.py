"""The container of a prober: beside a pod's own, or the only one of a pod that is made up.

A pod that policylab makes up has no server, so that its prober can be its only container: it starts
at once with the pod, and nobody needs the right to add a container to a running pod.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

CONTAINER = "policylab-probe"
"""Its name, by which a pod that has a prober is known."""

TOOLBOX = "localhost/policylab/toolbox:lab"
"""The image of probers as manifests call it; any image with python3 will do."""


def prober_container(
    image: str = TOOLBOX, ports: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """The container, as YAML has it; it needs no right at all.

    `ports` are the ports that it declares. An ephemeral container may declare none (KEP-277).
    """
    return {
        "name": CONTAINER,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sleep", "infinity"],
        **({"ports": [dict(port) for port in ports]} if ports else {}),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "runAsNonRoot": True,
            "runAsUser": 65534,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }
