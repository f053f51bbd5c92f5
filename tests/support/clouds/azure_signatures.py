"""What Azure signs: requests by SharedKey, and links by a service SAS.

Sources: "Authorize with Shared Key" and "Create a service SAS" of Microsoft's documentation of the
storage services; the latter for versions from 2020-12-06 on.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import unquote, urlencode

from tests.support.clouds.messages import Refused, Request

ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""Those that Microsoft's own emulator has; they are public, and open nothing."""

_SKEW = timedelta(minutes=15)
_SIGNED_HEADERS = (
    *("content-encoding", "content-language", "content-length", "content-md5", "content-type"),
    *("date", "if-modified-since", "if-match", "if-none-match", "if-unmodified-since", "range"),
)
_SAS_OVERRIDES = ("rscc", "rscd", "rsce", "rscl", "rsct")
_RIGHTS = {"GET": "r", "HEAD": "r", "PUT": "wc", "DELETE": "d", "POST": "d"}


def verify_shared_key(request: Request) -> None:
    """Check the signature of a request, and its date. Raises Refused."""
    headers = request.headers
    fields = [headers.get(name, "") for name in _SIGNED_HEADERS]
    fields[2] = "" if fields[2] == "0" else fields[2]
    fields[5] = "" if "x-ms-date" in headers else fields[5]
    ours = sorted(name for name in headers if name.startswith("x-ms-"))
    resource = f"/{ACCOUNT}{request.path}"
    for name in sorted(request.query):
        resource += f"\n{name.lower()}:{request.query[name]}"
    text = "\n".join([request.method, *fields, *(f"{x}:{headers[x]}" for x in ours), resource])
    if headers.get("authorization") != f"SharedKey {ACCOUNT}:{_signature(text)}":
        raise Refused(403, "AuthenticationFailed")
    sent_at = parsedate_to_datetime(headers.get("x-ms-date") or headers["date"])
    if abs(datetime.now(UTC) - sent_at) > _SKEW:
        raise Refused(403, "AuthenticationFailed")


def verify_sas(request: Request) -> None:
    """Check a link or token: signature, lifetime and rights. Raises Refused."""
    query, now = request.query, datetime.now(UTC)
    if not hmac.compare_digest(query["sig"], _sas_signature(query, request.path)):
        raise Refused(403, "AuthenticationFailed")
    if now >= _time(query["se"]) or ("st" in query and now < _time(query["st"]) - _SKEW):
        raise Refused(403, "AuthenticationFailed")
    right = "l" if query.get("comp") == "list" else _RIGHTS[request.method]
    if not set(right) & set(query["sp"]):
        raise Refused(403, "AuthorizationPermissionMismatch")


def container_sas(container: str, rights: str, lifetime: timedelta) -> str:
    """A token for a whole container, as the portal makes it."""
    fields = {
        "sp": rights,
        "se": f"{datetime.now(UTC) + lifetime:%Y-%m-%dT%H:%M:%SZ}",
        "sv": "2022-11-02",
        "sr": "c",
    }
    return urlencode({**fields, "sig": _sas_signature(fields, f"/{container}")})


def _sas_signature(query: Mapping[str, str], path: str) -> str:
    names = unquote(path).removeprefix("/")
    resource = names if query["sr"] == "b" else names.partition("/")[0]
    fields = [
        *(query.get(name, "") for name in ("sp", "st", "se")),
        f"/blob/{ACCOUNT}/{resource}",
        *(query.get(name, "") for name in ("si", "sip", "spr", "sv", "sr", "snapshot", "ses")),
        *(query.get(name, "") for name in _SAS_OVERRIDES),
    ]
    return _signature("\n".join(fields))


def _signature(text: str) -> str:
    signed = hmac.new(base64.b64decode(KEY), text.encode(), hashlib.sha256)
    return base64.b64encode(signed.digest()).decode()


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
