"""The one list of CNIs that policylab knows."""

from __future__ import annotations

from collections.abc import Mapping

from harness.core.lab.profile import CniProfile
from harness.edge.cni.calico import CALICO
from harness.edge.cni.cilium import CILIUM
from harness.edge.cni.value import Cni
from harness.errors import EnvironmentFault

_KNOWN: Mapping[str, Cni] = {cni.name: cni for cni in (CALICO, CILIUM)}

CNIS = tuple(_KNOWN)
"""The names."""

DEFAULT = CNIS[0]
"""The CNI of a run that names none."""

PROFILES: Mapping[str, CniProfile] = {name: cni.profile for name, cni in _KNOWN.items()}
"""The profile of each CNI, by its name."""

COUNTED = tuple(name for name, cni in _KNOWN.items() if cni.drops is not None)
"""The names of the CNIs whose count of drops policylab can read."""


def cni_of(name: str) -> Cni:
    """The CNI with this name.

    Raises:
        EnvironmentFault: policylab does not know the CNI; the message has the known names.
    """
    if name not in _KNOWN:
        raise EnvironmentFault(
            f"policylab does not know the CNI {name}",
            where=f"--lab-cni={name}",
            seen=f"known: {', '.join(CNIS)}",
            try_="choose one of them",
        )
    return _KNOWN[name]
