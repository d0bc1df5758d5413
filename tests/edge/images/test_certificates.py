"""The authority and the leaf: whom they vouch for, who trusts them, and that no key is left."""

import shutil
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from harness.edge.images.certificates.making import ensure_certificates
from harness.edge.images.keys import certificates_key
from harness.edge.images.recipe import read_recipes, recipes_home
from harness.edge.images.store import Store
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


@pytest.fixture(scope="module")
def authority(home: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate((home / "ca.crt").read_bytes())


def shake_hands(home: Path, name: str, trusted: Path | None = None) -> None:
    """Let a client that trusts the authority alone speak TLS with a server that shows the leaf.

    `trusted` is a folder of certificates by which it knows the authority.
    """
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(home / "leaf.crt", home / "leaf.key")
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if trusted is None:
        client.load_verify_locations(cafile=home / "ca.crt")
    else:
        client.load_verify_locations(capath=trusted)
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


def test_authority_may_vouch_for_these_names_only(authority: x509.Certificate) -> None:
    limits = authority.extensions.get_extension_for_class(x509.NameConstraints)
    assert limits.critical
    permitted, excluded = limits.value.permitted_subtrees, limits.value.excluded_subtrees
    assert [each.value for each in permitted or ()] == [*NAMES]
    assert [str(each.value) for each in excluded or ()] == ["0.0.0.0/0", "::/0"]


def test_authority_vouches_for_no_other_authority(authority: x509.Certificate) -> None:
    limits = authority.extensions.get_extension_for_class(x509.BasicConstraints)
    assert limits.critical
    assert (limits.value.ca, limits.value.path_length) == (True, 0)


def test_only_key_that_is_kept_is_the_leafs(store: Store, home: Path) -> None:
    files = [path for path in store.root.rglob("*") if path.is_file()]
    with_key = [path for path in files if "PRIVATE KEY" in path.read_text()]
    assert with_key == [home / "leaf.key"]
    assert (home / "leaf.key").stat().st_mode & 0o077 == 0
    leaf = x509.load_pem_x509_certificate((home / "leaf.crt").read_bytes())
    key = load_pem_private_key((home / "leaf.key").read_bytes(), None)
    assert key.public_key() == leaf.public_key()


def test_toolbox_holds_the_authority_where_openssl_looks_for_it(home: Path, tmp_path: Path) -> None:
    [toolbox] = RECIPES["toolbox"].images
    [(path, file)] = toolbox.files.items()
    assert (str(Path(path).parent), file) == ("/etc/ssl/certs", "certificates/ca.crt")
    shutil.copy(home / "ca.crt", tmp_path / Path(path).name)
    shake_hands(home, NAMES[0], trusted=tmp_path)


def test_authority_is_not_found_under_another_name(home: Path, tmp_path: Path) -> None:
    shutil.copy(home / "ca.crt", tmp_path / "12345678.0")
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(home, NAMES[0], trusted=tmp_path)


def test_certificates_are_made_once_a_machine(store: Store, tmp_path: Path) -> None:
    before = ensure_certificates(store, RECIPES, Quiet())
    assert ensure_certificates(store, RECIPES, Quiet()) == before
    assert ensure_certificates(Store(tmp_path), RECIPES, Quiet()) != before
