"""A certificate of one's own for the broker's host names, for clients that insist on https."""

from __future__ import annotations

import ssl
import tempfile
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

__all__ = ["HOSTS", "tls_context"]

HOSTS = ("openapi.koreainvestment.com", "openapivts.koreainvestment.com", "localhost")
LIFETIME = timedelta(days=30)


def tls_context(certificate: Path) -> ssl.SSLContext:
    """Make a new key and certificate; the certificate is left at `certificate` for clients to trust.

    The key never outlives the process.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    pem = _certificate(key).public_bytes(serialization.Encoding.PEM)
    certificate.write_bytes(pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile() as file:  # created readable by its owner alone
        file.write(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        file.flush()
        context.load_cert_chain(certificate, file.name)
    return context


def _certificate(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    # a name of its own: a client that trusts two simulators finds the right one by it
    own = f"Jeoul KIS simulator {x509.random_serial_number() % 10**8:08d}"
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, own)])
    now = datetime.now(UTC)
    names: list[x509.GeneralName] = [x509.DNSName(host) for host in HOSTS]
    names.append(x509.IPAddress(ip_address("127.0.0.1")))
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
