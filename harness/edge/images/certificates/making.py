"""Certificates for the simulated internet: an authority that signs once, and a web server's own.

Each machine makes them once and keeps them in the store. Every machine makes different
certificates, so their bytes are part of the keys of the images that contain them. A toolbox that
does not trust a web server therefore has a key that no image of this server's build has.
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
    """Make the missing certificates; the digest of the certificates of each folder that has some.

    Raises:
        EnvironmentFault: another run holds the store's lock for too long.
    """
    wanted = {name: recipe for name, recipe in recipes.items() if recipe.certificates is not None}
    digests = {}
    for name, recipe in wanted.items():
        key = certificates_key(recipe)
        if not store.has(name, key):
            with store.lock(progress):
                if not store.has(name, key):  # the previous holder of the lock may have made them
                    names = recipe.certificates or ()
                    with store.making(name, key, {"names": list(names)}) as folder:
                        _make(folder, names)
        home = store.path(name, key)
        digests[name] = folder_digest(home.glob("*.crt"), home)
    return digests


def _make(folder: Path, names: Sequence[str]) -> None:
    """Write `ca.crt`, `leaf.crt` and `leaf.key`."""
    # The import is here, because it takes 0.2 s and a machine makes certificates only once.
    from harness.edge.images.certificates.signing import sign_for

    signed = sign_for(names)
    (folder / "ca.crt").write_bytes(signed.authority)
    (folder / "leaf.crt").write_bytes(signed.leaf)
    key = folder / "leaf.key"
    key.touch(mode=0o600)
    key.write_bytes(signed.leaf_key)
