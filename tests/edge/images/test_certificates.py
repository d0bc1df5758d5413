"""The authority and the leaf: whom they vouch for, who trusts them, and that no key is left."""

import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

from harness.edge.images.certificates import ensure_certificates
from harness.edge.images.keys import certificates_key
from harness.edge.images.recipe import read_recipes, recipes_home
from harness.edge.images.store import Store
from harness.errors import ImageUnavailable
from harness.progress import Quiet

RECIPES = read_recipes(recipes_home())
NAMES = RECIPES["certificates"].certificates or ()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    made = Store(tmp_path_factory.mktemp("cache"))
    ensure_certificates(made, RECIPES, Quiet())
    return made


@pytest.fixture(scope="module")
def home(store: Store) -> Path:
    return store.path("certificates", certificates_key(RECIPES["certificates"]))


def told(*words: str | Path) -> str:
    argv = ["openssl", *map(str, words)]
    return subprocess.run(argv, capture_output=True, text=True, check=True, timeout=10).stdout


def shake_hands(home: Path, name: str) -> None:
    """Let a client that trusts the authority alone speak TLS with a server that shows the leaf."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(home / "leaf.crt", home / "leaf.key")
    client = ssl.create_default_context(cafile=str(home / "ca.crt"))
    client.verify_flags |= ssl.VERIFY_X509_STRICT  # the default from Python 3.13 on
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(back, there, server_hostname=name),
        server.wrap_bio(there, back, server_side=True),
    ]
    for end in (*ends, *ends):
        try:
            end.do_handshake()
        except ssl.SSLWantReadError:
            continue
    assert ends[0].getpeercert()  # raises if they did not come to an end


@pytest.mark.parametrize("name", NAMES)
def test_client_that_trusts_the_authority_believes_every_name(home: Path, name: str) -> None:
    shake_hands(home, name)


def test_no_other_name_is_believed(home: Path) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match=r"example\.org"):
        shake_hands(home, "example.org")


def test_authority_may_vouch_for_these_names_only(home: Path) -> None:
    text = told("x509", "-in", home / "ca.crt", "-noout", "-ext", "nameConstraints")
    lines = [line.strip() for line in text.splitlines()]
    permitted = lines[lines.index("Permitted:") + 1 : lines.index("Excluded:")]
    assert "critical" in lines[0]
    assert permitted == [f"DNS:{name}" for name in NAMES]
    assert lines[lines.index("Excluded:") + 1] == "IP:0.0.0.0/0.0.0.0"


def test_only_key_that_is_kept_is_the_leafs(store: Store, home: Path) -> None:
    files = [path for path in store.root.rglob("*") if path.is_file()]
    with_key = [path for path in files if "PRIVATE KEY" in path.read_text()]
    assert with_key == [home / "leaf.key"]
    shown = told("x509", "-in", home / "leaf.crt", "-noout", "-pubkey")
    assert told("pkey", "-in", home / "leaf.key", "-pubout") == shown


def test_toolbox_holds_the_authority_where_openssl_looks_for_it(home: Path) -> None:
    [toolbox] = RECIPES["toolbox"].images
    found = told("x509", "-in", home / "ca.crt", "-noout", "-subject_hash").strip()
    assert toolbox.files == {f"/etc/ssl/certs/{found}.0": "certificates/ca.crt"}


def test_certificates_are_made_once_a_machine(store: Store, tmp_path: Path) -> None:
    before = ensure_certificates(store, RECIPES, Quiet())
    assert ensure_certificates(store, RECIPES, Quiet()) == before
    assert ensure_certificates(Store(tmp_path), RECIPES, Quiet()) != before


def test_openssl_that_fails_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = tmp_path / "bin" / "openssl"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\necho 'unknown option' >&2\nexit 1\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tool.parent), prepend=":")
    assert shutil.which("openssl") == str(tool)
    store = Store(tmp_path / "cache")
    with pytest.raises(ImageUnavailable, match=r"certificates .* cannot be made") as caught:
        ensure_certificates(store, RECIPES, Quiet())
    assert caught.value.seen == "unknown option"
    assert not list(store.root.glob("*/certificates*"))
