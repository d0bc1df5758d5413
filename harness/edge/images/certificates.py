"""Certificates for the simulated internet: an authority that vouches once, and a leaf.

They are made once a machine and kept in the store. Two runs of openssl never give the same keys, so
the images that hold them are keyed by their bytes: a toolbox and a web server that do not trust
each other have different keys, and cannot meet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.edge.images.keys import certificates_key, folder_digest
from harness.edge.images.recipe import Recipe
from harness.edge.images.store import Store
from harness.edge.machine import debian
from harness.edge.machine.process import CommandFailed, run
from harness.errors import ImageUnavailable
from harness.progress import Progress

__all__ = ["AUTHORITY", "ensure_certificates"]

AUTHORITY = "/O=policylab/CN=policylab simulated internet"
DAYS = "3650"
SECONDS = 60.0
# Names are permitted one by one; what is no name would be free without a word (RFC 5280, 4.2.1.10).
NO_ADDRESSES = ("IP:0.0.0.0/0.0.0.0", "IP:0:0:0:0:0:0:0:0/0:0:0:0:0:0:0:0")


def ensure_certificates(
    store: Store, recipes: Mapping[str, Recipe], progress: Progress
) -> dict[str, str]:
    """Make what is missing; return a digest of the certificates of each folder that has some.

    Raises `ImageUnavailable` if openssl fails, and `ToolMissing` if there is none.
    """
    wanted = {name: recipe for name, recipe in recipes.items() if recipe.certificates is not None}
    digests = {}
    for name, recipe in wanted.items():
        key = certificates_key(recipe)
        if not store.has(name, key):
            debian.ensure_openssl(progress)
            with store.lock(progress):
                if not store.has(name, key):  # the one who held the lock may have made them
                    _make(store, recipe, key)
        home = store.path(name, key)
        digests[name] = folder_digest(home.glob("*.crt"), home)
    return digests


def _make(store: Store, recipe: Recipe, key: str) -> None:
    names = recipe.certificates or ()
    with store.making(recipe.name, key, {"names": list(names)}) as folder:
        try:
            _sign(folder, names)
        except CommandFailed as error:
            raise ImageUnavailable(
                "the certificates of the simulated internet cannot be made",
                where=error.where,
                seen=error.seen,
                try_="is this OpenSSL 3? `openssl version` tells",
            ) from error


def _sign(folder: Path, names: Sequence[str]) -> None:
    """Write `ca.crt`, `leaf.crt` and `leaf.key`; the authority's key goes from pipe to pipe."""
    authority, leaf = _new_key(), _new_key()
    (folder / "leaf.key").touch(mode=0o600)
    (folder / "leaf.key").write_text(leaf)
    request: list[str | Path] = ["req", "-new", "-key", "/dev/stdin"]
    limits = [f"permitted;DNS:{name}" for name in names]
    limits += [f"excluded;{address}" for address in NO_ADDRESSES]
    extensions = [
        "basicConstraints=critical,CA:TRUE,pathlen:0",
        "keyUsage=critical,keyCertSign",
        f"nameConstraints=critical,{','.join(limits)}",
    ]
    words: list[str | Path] = [
        *request,
        "-x509",
        "-days",
        DAYS,
        "-subj",
        AUTHORITY,
        "-out",
        folder / "ca.crt",
    ]
    _openssl([*words, "-out", folder / "ca.crt", *_added(extensions)], authority)
    extensions = [
        "basicConstraints=critical,CA:FALSE",
        "keyUsage=critical,digitalSignature",
        "extendedKeyUsage=serverAuth",
        f"subjectAltName={','.join(f'DNS:{name}' for name in names)}",
    ]
    unsigned = folder / "leaf.csr"
    _openssl([*request, "-subj", "/CN=internet", "-out", unsigned, *_added(extensions)], leaf)
    words = ["x509", "-req", "-in", unsigned, "-days", DAYS, "-copy_extensions", "copy"]
    words += ["-CA", folder / "ca.crt", "-CAkey", "/dev/stdin", "-out", folder / "leaf.crt"]
    _openssl(words, authority)
    unsigned.unlink()
    _openssl(["verify", "-x509_strict", "-CAfile", folder / "ca.crt", folder / "leaf.crt"])


def _added(extensions: Sequence[str]) -> list[str | Path]:
    return [word for extension in extensions for word in ("-addext", extension)]


def _new_key() -> str:
    return _openssl(["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"])


def _openssl(words: Sequence[str | Path], key: str | None = None) -> str:
    return run(["openssl", *words], timeout=SECONDS, input=key).stdout
