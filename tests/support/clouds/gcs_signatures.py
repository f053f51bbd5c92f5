"""What Google signs: bearer tokens that a service account made itself, and links of version 4.

Sources: "Service account authorization without OAuth" (google.aip.dev/auth/4111) and
"V4 signing process with your own program" (cloud.google.com/storage/docs/access-control).
"""

import base64
import hashlib
import json
import time
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import quote

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.support.clouds.messages import Refused, Request

EMAIL = "exports@test-project.iam.gserviceaccount.com"
_KEY_ID = "key-1"


@cache
def account(name: str = "ours") -> rsa.RSAPrivateKey:
    """The key of a service account; one of each name in a run."""
    return rsa.generate_private_key(65537, 2048)


def key_file(key: rsa.RSAPrivateKey) -> str:
    """The file that Google gives out for it."""
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    fields = {"type": "service_account", "project_id": "test-project", "private_key_id": _KEY_ID}
    return json.dumps(fields | {"private_key": pem.decode(), "client_email": EMAIL})


def verify_bearer(request: Request, key: rsa.RSAPublicKey) -> None:
    """Check the token of a request: signature, account, scope and times. Raises Refused."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    signed, _, signature = token.rpartition(".")
    if scheme != "Bearer" or not _is_signed(key, signed, _unpacked(signature)):
        raise Refused(401, "AuthenticationRequired")
    head, claims = (json.loads(_unpacked(each)) for each in signed.split("."))
    right = (
        (head["alg"], head["kid"]) == ("RS256", _KEY_ID)
        and claims["iss"] == claims["sub"] == EMAIL
        and claims["iat"] - 60 <= time.time() < claims["exp"] <= claims["iat"] + 3600
        and _may_write(claims)
    )
    if not right:
        raise Refused(401, "AuthenticationRequired")


def verify_link(request: Request, key: rsa.RSAPublicKey) -> None:
    """Check a signed link: signature, account and lifetime. Raises Refused."""
    query = dict(request.query)
    signature = query.pop("X-Goog-Signature")
    date, scope = query["X-Goog-Date"], query["X-Goog-Credential"].partition("/")[2]
    signed = query["X-Goog-SignedHeaders"].split(";")
    canonical = [
        request.method,
        request.path,
        "&".join(f"{_quoted(name)}={_quoted(query[name])}" for name in sorted(query)),
        *(f"{name}:{request.headers[name]}" for name in signed),
        "",
        ";".join(signed),
        "UNSIGNED-PAYLOAD",
    ]
    digest = hashlib.sha256("\n".join(canonical).encode()).hexdigest()
    text = "\n".join(["GOOG4-RSA-SHA256", date, scope, digest])
    right = (
        query["X-Goog-Algorithm"] == "GOOG4-RSA-SHA256"
        and query["X-Goog-Credential"].startswith(f"{EMAIL}/{date[:8]}/")
        and scope.endswith("/storage/goog4_request")
        and "host" in signed
    )
    if not right or not _is_signed(key, text, bytes.fromhex(signature)):
        raise Refused(403, "SignatureDoesNotMatch")
    begun = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    lifetime = int(query["X-Goog-Expires"])
    if lifetime > 7 * 86400 or not begun - 60 <= time.time() < begun + lifetime:
        raise Refused(400, "ExpiredToken")


def _may_write(claims: dict[str, Any]) -> bool:
    scopes = {"devstorage.full_control", "devstorage.read_write", "cloud-platform"}
    return any(scope.rpartition("/")[2] in scopes for scope in claims["scope"].split())


def _is_signed(key: rsa.RSAPublicKey, text: str, signature: bytes) -> bool:
    try:
        key.verify(signature, text.encode(), padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def _unpacked(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _quoted(text: str) -> str:
    return quote(text, safe="")
