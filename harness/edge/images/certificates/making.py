"""Certificates for the simulated internet: an authority that vouches once, and a leaf.

They are made once a machine and kept in the store. No two machines make the same keys, so the
images that hold them are keyed by their bytes: a toolbox and a web server that do not trust each
other have different keys, and cannot meet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.edge.images.keys import certificates_key, folder_digest
from harness.edge.images.recipe import Recipe
from harness.edge.images.store import Store
from harness.progress import Progress


def ensure_certificates(
    store: Store, recipes: Mapping[str, Recipe], progress: Progress
) -> dict[str, str]:
    """Make the certificates that are missing; a digest of those of each folder that has some.

    Raises:
        EnvironmentFault: another run holds the store's lock for too long.
    """
    wanted = {name: recipe for name, recipe in recipes.items() if recipe.certificates is not None}
    digests = {}
    for name, recipe in wanted.items():
        key = certificates_key(recipe)
        if not store.has(name, key):
            with store.lock(progress):
                if not store.has(name, key):  # the one who held the lock may have made them
                    names = recipe.certificates or ()
                    with store.making(name, key, {"names": list(names)}) as folder:
                        _make(folder, names)
        home = store.path(name, key)
        digests[name] = folder_digest(home.glob("*.crt"), home)
    return digests


def _make(folder: Path, names: Sequence[str]) -> None:
    """Write `ca.crt`, `leaf.crt` and `leaf.key`."""
    # Here, because it costs 0.2 s to import, and a machine makes certificates once.
    from harness.edge.images.certificates.signing import sign_for

    signed = sign_for(names)
    (folder / "ca.crt").write_bytes(signed.authority)
    (folder / "leaf.crt").write_bytes(signed.leaf)
    key = folder / "leaf.key"
    key.touch(mode=0o600)
    key.write_bytes(signed.leaf_key)
