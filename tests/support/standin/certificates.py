"""Certificates for one run: an authority, a server's and a client's."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Key = ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class Certificates:
    """PEM texts."""

    authority: bytes
    server_certificate: bytes
    server_key: bytes
    client_certificate: bytes
    client_key: bytes

    def server(self) -> grpc.ServerCredentials:
        """For a door that any client may use."""
        return grpc.ssl_server_credentials([(self.server_key, self.server_certificate)])

    def mutual(self) -> grpc.ServerCredentials:
        """For a door that asks its clients for a certificate."""
        pair = (self.server_key, self.server_certificate)
        return grpc.ssl_server_credentials([pair], self.authority, require_client_auth=True)

    def write(self, directory: Path) -> dict[str, str]:
        """What a client needs, as files; their names by what they are."""
        files = {
            "authority": self.authority,
            "certificate": self.client_certificate,
            "key": self.client_key,
        }
        for name, content in files.items():
            (directory / f"{name}.pem").write_bytes(content)
        return {name: str(directory / f"{name}.pem") for name in files}


def make_certificates() -> Certificates:
    """New ones, for `localhost` and 127.0.0.1."""
    authority_key, server_key, client_key = (_key() for _ in range(3))
    authority = _certificate("authority", authority_key, "authority", authority_key)
    server = _certificate("localhost", server_key, "authority", authority_key)
    client = _certificate("client", client_key, "authority", authority_key)
    return Certificates(
        _pem(authority), _pem(server), _key_pem(server_key), _pem(client), _key_pem(client_key)
    )


def _key() -> Key:
    return ec.generate_private_key(ec.SECP256R1())


def _certificate(name: str, key: Key, issuer: str, issuer_key: Key) -> x509.Certificate:
    now = datetime.now(UTC)
    hosts = [x509.DNSName("localhost"), x509.IPAddress(IPv4Address("127.0.0.1"))]
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=24))
        .add_extension(x509.BasicConstraints(ca=name == issuer, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(hosts), critical=False)
        .sign(issuer_key, hashes.SHA256())
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: Key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
