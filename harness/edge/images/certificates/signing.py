"""A certificate authority that signs one certificate; its key is never written to a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

ORGANISATION, AUTHORITY = "policylab", "policylab simulated internet"
"""The authority's subject. The toolbox has its certificate under a digest of these words."""
LEAF = "internet"
LIFETIME = timedelta(days=3650)
# The names are permitted one by one. Other kinds of subject (addresses) would be unrestricted if no
# constraint named them (RFC 5280, 4.2.1.10).
NO_ADDRESSES = ("0.0.0.0/0", "::/0")


@dataclass(frozen=True, slots=True)
class Signed:
    """PEM texts: the authority's certificate, and the server's certificate with its key."""

    authority: bytes
    leaf: bytes
    leaf_key: bytes


def sign_for(names: Sequence[str]) -> Signed:
    """A new authority that may sign for these names only, and a server's certificate for them."""
    authority, leaf = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANISATION),
            x509.NameAttribute(NameOID.COMMON_NAME, AUTHORITY),
        ]
    )
    ca = _issued(subject, subject, authority.public_key(), authority)
    ca = ca.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    ca = ca.add_extension(_usage(certificates=True), critical=True)
    ca = ca.add_extension(_limits(names), critical=True)
    known_by = x509.SubjectKeyIdentifier.from_public_key(authority.public_key())
    ca = ca.add_extension(known_by, critical=False)

    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, LEAF)])
    server = _issued(name, subject, leaf.public_key(), authority)
    server = server.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    server = server.add_extension(_usage(certificates=False), critical=True)
    purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    server = server.add_extension(purpose, critical=False)
    called = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    server = server.add_extension(called, critical=False)

    pem = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    return Signed(
        ca.sign(authority, hashes.SHA256()).public_bytes(pem),
        server.sign(authority, hashes.SHA256()).public_bytes(pem),
        leaf.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain),
    )


def _issued(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    authority: ec.EllipticCurvePrivateKey,
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + LIFETIME)
        .add_extension(signer, critical=False)
    )


def _limits(names: Sequence[str]) -> x509.NameConstraints:
    return x509.NameConstraints(
        permitted_subtrees=[x509.DNSName(name) for name in names],
        excluded_subtrees=[x509.IPAddress(ip_network(each)) for each in NO_ADDRESSES],
    )


def _usage(*, certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certificates,
        key_cert_sign=certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
