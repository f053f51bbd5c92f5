"""What must hold between the keys of `s3`, `gcs` and `azure`."""

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Final

from flight_server.config.choices import Backend
from flight_server.config.faults import Fault
from flight_server.config.store_sections import AzureSection, GcsSection, S3Section

_BACKEND: Final = frozenset({"storage.backend"})
_S3_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_GCS_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")
_ACCOUNT: Final = re.compile(r"[a-z0-9]{3,24}")
_CONTAINER: Final = re.compile(r"(?=.{3,63}$)[a-z0-9](-?[a-z0-9])*")


def faults(backend: str, s3: S3Section, gcs: GcsSection, azure: AzureSection) -> Iterator[Fault]:
    """Find every rule that is broken for the store that is used."""
    match backend:
        case Backend.S3:
            yield from _s3(s3)
        case Backend.GCS:
            yield from _named("gcs.bucket", gcs.bucket, _GCS_BUCKET, backend)
        case Backend.AZURE:
            yield from _azure(azure)


def _named(key: str, value: str, pattern: re.Pattern[str], backend: str) -> Iterator[Fault]:
    if not pattern.fullmatch(value):
        noun = key.partition(".")[2]
        text = f"is no name of {'an' if noun == 'account' else 'a'} {noun}"
        yield Fault(key, f"{text}; storage.backend {backend} needs one", _BACKEND)


def _s3(s3: S3Section) -> Iterator[Fault]:
    yield from _named("s3.bucket", s3.bucket, _S3_BUCKET, Backend.S3)
    secret = s3.secret_access_key.get_secret_value()
    if s3.access_key_id and not secret:
        text = "is needed by s3.access_key_id; leave both empty for keys from the environment"
        yield Fault("s3.secret_access_key", text, _BACKEND | {"s3.access_key_id"})
    if not s3.access_key_id and (secret or s3.session_token.get_secret_value()):
        text = "is needed by s3.secret_access_key and s3.session_token"
        reads = _BACKEND | {"s3.secret_access_key", "s3.session_token"}
        yield Fault("s3.access_key_id", text, reads)


def _azure(azure: AzureSection) -> Iterator[Fault]:
    yield from _named("azure.account", azure.account, _ACCOUNT, Backend.AZURE)
    yield from _named("azure.container", azure.container, _CONTAINER, Backend.AZURE)
    key, sas = azure.account_key.get_secret_value(), azure.sas_token.get_secret_value()
    if not _is_base64(key):
        yield Fault("azure.account_key", "is not base64, as Azure shows it", _BACKEND)
    if key and sas:
        text = "is given, as is azure.account_key; leave one empty"
        yield Fault("azure.sas_token", text, _BACKEND | {"azure.account_key"})
    elif sas and not azure.public:
        text = (
            "cannot sign links; set azure.account_key instead, or azure.public to true if everyone "
            "may read the container"
        )
        yield Fault("azure.sas_token", text, _BACKEND | {"azure.public", "azure.account_key"})


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except binascii.Error:
        return False
    return True
