"""The one list of CNIs that policylab knows."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import combinations
from pathlib import Path

from harness.core.lab.profile import CniProfile
from harness.edge.cni.calico import CALICO
from harness.edge.cni.cilium import CILIUM
from harness.edge.cni.folder import cni_in
from harness.edge.cni.value import Cni
from harness.errors import EnvironmentFault

_KNOWN: Mapping[str, Cni] = {cni.name: cni for cni in (CALICO, CILIUM)}

CNIS = tuple(_KNOWN)
"""The names."""

DEFAULT = CNIS[0]
"""The CNI of a run that names none."""

PROFILES: Mapping[str, CniProfile] = {name: cni.profile for name, cni in _KNOWN.items()}
"""The profile of each CNI in its usual variant, by its name."""

VARIANTS: Mapping[str, CniProfile] = {
    profile.column: profile
    for cni in _KNOWN.values()
    for count in range(len(cni.changes) + 1)
    for words in combinations(cni.changes, count)
    for profile in (cni.in_variant(words).profile,)
}
"""The profile of each CNI in each variant that differs, by the name of its column."""

COLUMNS: Mapping[str, CniProfile] = {
    profile.column: profile
    for cni in _KNOWN.values()
    for words in ((), *((word,) for word in cni.changes))
    for profile in (cni.in_variant(words).profile,)
}
"""The columns of the table of CNI differences: `VARIANTS` without combinations of variants."""

COUNTED = tuple(name for name, cni in _KNOWN.items() if cni.drops is not None)
"""The names of the CNIs whose count of drops policylab can read."""


def is_folder(name: str) -> bool:
    """Whether this names a folder with somebody else's CNI: a name has no slash and no dot."""
    return "/" in name or name.startswith(".")


def named(text: str) -> str:
    """How a run calls the CNI that a user typed: by its name, or by the full path of its folder.

    Raises:
        EnvironmentFault: there is no such CNI, or its folder is wrong.
    """
    found = str(Path(text).resolve()) if is_folder(text) else text
    cni_of(found)
    return found


def cni_of(name: str) -> Cni:
    """The CNI with this name, or in the folder with this path.

    Raises:
        EnvironmentFault: policylab does not know the CNI; the message has the known names. Or the
            folder is wrong; the message says where.
    """
    if is_folder(name):
        return _own(Path(name))
    if name not in _KNOWN:
        raise EnvironmentFault(
            f"policylab does not know the CNI {name}",
            try_=f"choose {', '.join(CNIS)}, or the folder of your own CNI, such as ./{name}",
        )
    return _KNOWN[name]


@cache
def _own(folder: Path) -> Cni:
    """The CNI in this folder, which is read once in a run."""
    return cni_in(folder, _KNOWN)
