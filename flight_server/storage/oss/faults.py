"""What OSS and oss2 say when something goes wrong, and what we say of it.

Fault            of `flight_server.storage.faults`
└── Mismatch     what is there is not what was sent
"""

import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

import requests
import urllib3
from oss2.exceptions import ClientError, InconsistentError, OssError, RequestError

from flight_server.storage.faults import Fault

EXPIRED: Final = frozenset({"InvalidAccessKeyId", "InvalidSecurityToken", "SecurityTokenExpired"})
"""Codes of temporary keys that hold no more."""

_TRANSIENT_CODES: Final = frozenset({"RequestTimeout", "InternalError", "ServiceUnavailable"})
_TRANSIENT_STATUS: Final = frozenset({408, 429})

_SENTENCES: Final[Mapping[str, str]] = {
    "NoSuchBucket": "OSS has no bucket of that name (oss.bucket)",
    "InvalidBucketName": "OSS takes the name of the bucket for none (oss.bucket)",
    "InvalidAccessKeyId": "OSS does not know the access key (oss.access_key_id)",
    "SignatureDoesNotMatch": (
        "OSS refused the signature: oss.access_key_secret, or oss.region, is not the right one"
    ),
    "InvalidSecurityToken": "OSS refused the token of the temporary key (oss.security_token)",
    "SecurityTokenExpired": "the temporary key for OSS has expired (oss.security_token)",
    "AccessDenied": "OSS denied access: the key lacks a permission for the bucket",
    "UserDisable": "the account of the bucket is disabled, or its bill is not paid",
    "NoSuchUpload": "OSS does not know the multipart upload any more",
}


class Mismatch(Fault):
    """A checksum or a size differs."""

    def __init__(self) -> None:
        super().__init__("OSS received other bytes than were sent", transient=True)


@contextmanager
def translated() -> Iterator[None]:
    """Turn whatever one request raises into a `Fault`.

    oss2 wraps what fails before an answer has begun; an answer that is cut off or is no XML comes
    out of requests, urllib3 and the parser as it is.
    """
    try:
        yield
    except OssError as error:
        raise fault_of(error) from error
    except ET.ParseError as error:
        raise Fault("OSS sent half an answer", transient=True) from error
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        raise Fault("the connection to OSS broke off", transient=True) from error
    except RuntimeError as error:  # oss2's parser misses an element
        raise Fault("OSS sent an answer that is none", transient=True) from error


def fault_of(error: OssError) -> Fault:
    """What one of oss2's errors means."""
    if isinstance(error, InconsistentError):
        return Mismatch()
    if isinstance(error, RequestError):
        return Fault("OSS could not be reached (oss.endpoint)", transient=True)
    if isinstance(error, ClientError):
        return Fault("there are no usable credentials for OSS (oss.credentials)", code="Client")
    status, code = error.status, error.code
    transient = status >= 500 or status in _TRANSIENT_STATUS or code in _TRANSIENT_CODES
    return Fault(_sentence(error), code=code, status=status, transient=transient)


def _sentence(error: OssError) -> str:
    if error.code == "RequestTimeTooSkewed":
        return f"this machine's clock is wrong{_skew(error.headers)}; OSS allows 15 minutes"
    if error.code in _SENTENCES:
        return _SENTENCES[error.code]
    name = error.code if error.code.isalnum() else ""
    return f"OSS answered {error.status} {name}".rstrip()


def _skew(
    headers: Mapping[str, str], now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> str:
    try:
        there = parsedate_to_datetime(headers.get("Date", ""))
    except ValueError:
        return ""
    minutes = round((now() - there).total_seconds() / 60)
    if not minutes:
        return ""
    return f": {abs(minutes)} minutes {'ahead of' if minutes > 0 else 'behind'} that of OSS"
