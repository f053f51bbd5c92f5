"""Whether a request is signed by somebody we know: V1 and V4, in headers and in URLs.

Written from Alibaba's documentation, "Include a V4 signature in the Authorization header", "… in
a URL", the same two of V1, and the troubleshooting pages whose numbers the errors carry. The
examples of those pages are among the tests.
"""

import base64
import calendar
import hashlib
import hmac
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.utils import mktime_tz, parsedate_tz
from urllib.parse import quote

from tests.support.oss.errors import OssError
from tests.support.oss.messages import Headers, Request

MAX_SKEW = 15 * 60
MAX_EXPIRES = 7 * 24 * 3600

_V4 = "OSS4-HMAC-SHA256"

_SUBRESOURCES = {"acl", "append", "bucketInfo", "callback", "callback-var", "cname", "comp"}
_SUBRESOURCES |= {"continuation-token", "cors", "delete", "encryption", "endTime", "img"}
_SUBRESOURCES |= {"inventory", "lifecycle", "live", "location", "logging", "objectMeta"}
_SUBRESOURCES |= {"partNumber", "policy", "position", "qos", "referer", "replication", "restore"}
_SUBRESOURCES |= {"security-token", "startTime", "stat", "status", "style", "styleName", "symlink"}
_SUBRESOURCES |= {"tagging", "uploadId", "uploads", "versionId", "versioning", "versions", "vod"}
_SUBRESOURCES |= {"website", "worm", "x-oss-process", "x-oss-request-payer", "x-oss-traffic-limit"}
_SUBRESOURCES |= {"response-cache-control", "response-content-disposition", "response-expires"}
_SUBRESOURCES |= {"response-content-encoding", "response-content-language"}
_SUBRESOURCES |= {"response-content-type", "sequential"}


@dataclass(frozen=True)
class Credentials:
    """A key; with a token it is a temporary one, that ends at `expires` (seconds since 1970)."""

    access_key_id: str
    secret: str
    security_token: str | None = None
    expires: float | None = None
    read_only: bool = False


@dataclass(frozen=True)
class _Claim:
    """What a request says of its signature."""

    access_key_id: str
    signature: str
    token: str | None
    signed: str
    """The text that was signed."""
    scope: Sequence[str] = ()
    """V4: date, region and product, from which the key is derived."""

    def right(self, secret: str) -> str:
        """The signature that somebody with the secret gives."""
        if not self.scope:
            digest = hmac.new(secret.encode(), self.signed.encode("latin-1"), hashlib.sha1).digest()
            return base64.b64encode(digest).decode()
        key = f"aliyun_v4{secret}".encode()
        for step in (*self.scope, "aliyun_v4_request"):
            key = hmac.new(key, step.encode(), hashlib.sha256).digest()
        return hmac.new(key, self.signed.encode(), hashlib.sha256).hexdigest()


def signer(
    request: Request, known: Mapping[str, Credentials], region: str, now: float
) -> Credentials | None:
    """Who signed the request; None where it is not signed at all. Raises OssError."""
    claim = _claim(request, region, now)
    if claim is None:
        return None
    credentials = known.get(claim.access_key_id)
    if credentials is None:
        raise OssError("InvalidAccessKeyId", OSSAccessKeyId=claim.access_key_id)
    _check_token(claim.token, credentials, now)
    right = claim.right(credentials.secret)
    if not hmac.compare_digest(right.encode(), claim.signature.encode("latin-1", "replace")):
        raise OssError(
            "SignatureDoesNotMatch",
            OSSAccessKeyId=claim.access_key_id,
            SignatureProvided=claim.signature,
            StringToSign=claim.signed,
        )
    return credentials


def _check_token(token: str | None, credentials: Credentials, now: float) -> None:
    if token != credentials.security_token:
        # The id of a temporary key is nobody's without its token.
        raise OssError("InvalidAccessKeyId" if token is None else "InvalidSecurityToken")
    if credentials.expires is not None and now >= credentials.expires:
        raise OssError("SecurityTokenExpired")


def _claim(request: Request, region: str, now: float) -> _Claim | None:
    authorization = request.headers.get("authorization")
    in_url = {"Signature", "x-oss-signature"} & request.query.keys()
    if authorization and in_url:
        raise OssError("InvalidArgument", "Signatures in the header and in the URL exclude another")
    if authorization and authorization.startswith("OSS "):
        return _v1_header(request, authorization, now)
    if authorization and authorization.startswith(f"{_V4} "):
        return _v4_header(request, authorization, region, now)
    if authorization:
        raise OssError("InvalidArgument", "Authorization header is invalid.")
    if "Signature" in in_url:
        return _v1_url(request, now)
    return _v4_url(request, region, now) if in_url else None


# V1 ---------------------------------------------------------------------------------------------


def _v1_header(request: Request, authorization: str, now: float) -> _Claim:
    key_id, colon, signature = authorization.removeprefix("OSS ").partition(":")
    if not colon:
        raise OssError("InvalidArgument", "Authorization header is invalid.")
    date = request.headers.get("x-oss-date") or request.headers.get("date", "")
    parsed = parsedate_tz(date)
    if parsed is None:
        raise OssError("AccessDenied", "OSS authentication requires a valid Date.")
    _check_skew(mktime_tz(parsed), now)
    token = request.headers.get("x-oss-security-token")
    return _Claim(key_id, signature, token, v1_string_to_sign(request, date))


def _v1_url(request: Request, now: float) -> _Claim:
    query = request.query
    expires = query.get("Expires", "")
    if not re.fullmatch(r"\d+", expires):
        raise OssError("AccessDenied", "Invalid date (should be seconds since epoch).")
    _check_expiry(int(expires), now)
    signed = v1_string_to_sign(request, expires)
    key_id = query.get("OSSAccessKeyId", "")
    return _Claim(key_id, query["Signature"], query.get("security-token"), signed)


def v1_string_to_sign(request: Request, date: str) -> str:
    """V1's text; the bytes of names stand in it as Latin-1."""
    headers = request.headers
    own = "".join(f"{name}:{headers[name].strip()}\n" for name in sorted(headers) if _own(name))
    subresources = sorted(request.query.keys() & _SUBRESOURCES)
    words = [f"{name}={value}" if (value := request.query[name]) else name for name in subresources]
    resource = request.resource + ("?" if words else "") + "&".join(words)
    usual = [request.method, headers.get("content-md5", ""), headers.get("content-type", ""), date]
    return "\n".join([*usual, own + resource.encode().decode("latin-1")])


def _own(name: str) -> bool:
    return name.startswith("x-oss-")


# V4 ---------------------------------------------------------------------------------------------


def _v4_header(request: Request, authorization: str, region: str, now: float) -> _Claim:
    items = (item.partition("=") for item in authorization.removeprefix(_V4).split(","))
    fields = {name.strip(): value.strip() for name, _, value in items}
    if not {"Credential", "Signature"} <= fields.keys():
        raise OssError("InvalidArgument", "Authorization header is invalid.")
    headers = request.headers
    if headers.get("x-oss-content-sha256") != "UNSIGNED-PAYLOAD":
        raise OssError("InvalidArgument", "x-oss-content-sha256 must be UNSIGNED-PAYLOAD.")
    date = headers.get("x-oss-date", "")
    _check_skew(_v4_time(date), now)
    key_id, *scope = _scope(fields["Credential"], date, region, "0002-00000228")
    signed = v4_string_to_sign(
        request, date, scope, _additional(request, fields, "AdditionalHeaders")
    )
    token = headers.get("x-oss-security-token")
    return _Claim(key_id, fields["Signature"], token, signed, scope)


def _v4_url(request: Request, region: str, now: float) -> _Claim:
    query = request.query
    if query.get("x-oss-signature-version") != _V4:
        raise OssError("InvalidArgument", "x-oss-signature-version is not served.")
    expires = query.get("x-oss-expires", "")
    if not re.fullmatch(r"\d{1,9}", expires) or not 1 <= int(expires) <= MAX_EXPIRES:
        raise OssError("InvalidArgument", "x-oss-expires is not 1 to 604800.", ec="0002-00000232")
    date = query.get("x-oss-date", "")
    signed_at = _v4_time(date)
    if signed_at > now + MAX_SKEW:
        raise OssError("RequestTimeTooSkewed")
    _check_expiry(signed_at + int(expires), now)
    key_id, *scope = _scope(query.get("x-oss-credential", ""), date, region, "0002-00000226")
    names = _additional(request, query, "x-oss-additional-headers")
    signed = v4_string_to_sign(request, date, scope, names)
    token = query.get("x-oss-security-token")
    return _Claim(key_id, query["x-oss-signature"], token, signed, scope)


def v4_string_to_sign(
    request: Request, date: str, scope: Sequence[str], additional: Sequence[str]
) -> str:
    """V4's text: it holds the hash of the canonical request."""
    canonical = _v4_canonical(request, additional).encode("latin-1")
    hashed = hashlib.sha256(canonical).hexdigest()
    return "\n".join([_V4, date, "/".join([*scope, "aliyun_v4_request"]), hashed])


def _v4_canonical(request: Request, additional: Sequence[str]) -> str:
    pairs = sorted(
        (_encode(n), _encode(v)) for n, v in request.query.items() if n != "x-oss-signature"
    )
    query = "&".join(f"{name}={value}" if value else name for name, value in pairs)
    usual = {"content-md5", "content-type", *additional}
    names = [name for name in sorted(request.headers) if _own(name) or name in usual]
    headers = "".join(f"{name}:{request.headers[name].strip()}\n" for name in names)
    path = quote(request.resource, safe="/~")
    words = [request.method, path, query, headers, ";".join(additional), "UNSIGNED-PAYLOAD"]
    return "\n".join(words)


def _encode(text: str) -> str:
    return quote(text, safe="~")


def _additional(request: Request, fields: Headers, name: str) -> Sequence[str]:
    if name not in fields:
        return ()
    names = fields[name].split(";")
    if names != sorted({each.strip().lower() for each in names} - {""}):
        raise OssError("InvalidArgument", f"{name} is not a sorted list of lower case names.")
    if missing := [each for each in names if each not in request.headers]:
        raise OssError("InvalidArgument", f"Headers in {name} are missing: {missing}.")
    return names


def _scope(credential: str, date: str, region: str, region_ec: str) -> Sequence[str]:
    words = credential.split("/")
    if len(words) != 5 or words[3:] != ["oss", "aliyun_v4_request"]:
        raise OssError("InvalidArgument", "The credential is invalid.", ec="0002-00000213")
    if words[1] != date[:8]:
        raise OssError("InvalidArgument", "The signing date is invalid.", ec="0002-00000212")
    if words[2] != region:
        raise OssError("InvalidArgument", f"Invalid signing region {words[2]!r}.", ec=region_ec)
    return words[:4]


def _v4_time(date: str) -> float:
    try:
        return calendar.timegm(time.strptime(date, "%Y%m%dT%H%M%SZ"))
    except ValueError:
        raise OssError("AccessDenied", "x-oss-date is not a valid ISO 8601 time.") from None


# Time -------------------------------------------------------------------------------------------


def _check_skew(signed_at: float, now: float) -> None:
    if abs(signed_at - now) > MAX_SKEW:
        raise OssError("RequestTimeTooSkewed", MaxAllowedSkewMilliseconds=str(MAX_SKEW * 1000))


def _check_expiry(end: float, now: float) -> None:
    if now > end:
        raise OssError("AccessDenied", "Request has expired.", ec="0002-00000069")
