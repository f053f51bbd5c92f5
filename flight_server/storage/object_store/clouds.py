"""How each of the three is opened, and what its errors mean.

Everything that the configuration says is given to obstore explicitly, since its stores read the
environment too: an `AWS_SESSION_TOKEN` of something else must not go with our key.
"""

import os
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from obstore.exceptions import BaseError
from obstore.store import AzureStore, GCSStore, S3Store

from flight_server.config import Config
from flight_server.errors import ErrorCode, ServiceError
from flight_server.storage.object_store.links import (
    azure_signer,
    link_of_obstore,
    link_to_encoded,
    link_to_plain,
)
from flight_server.storage.object_store.settings import QUICK, Cloud, Times

_GOOGLE: Final = "storage.googleapis.com"

_AZURE_KEYS: Final = ("AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_ACCESS_KEY")
"""Variables of the environment in which obstore looks for the key of an account."""

_S3_SENTENCES: Final = {
    "NoSuchBucket": "S3 has no bucket of that name (s3.bucket)",
    "InvalidBucketName": "S3 takes the name of the bucket for none (s3.bucket)",
    "InvalidAccessKeyId": "S3 does not know the access key (s3.access_key_id)",
    "SignatureDoesNotMatch": "S3 refused the signature: s3.secret_access_key is not the right one",
    "InvalidToken": "S3 refused the token of the temporary key (s3.session_token)",
    "ExpiredToken": "the temporary key for S3 has expired (s3.session_token)",
    **dict.fromkeys(
        (
            "AuthorizationHeaderMalformed",
            "IllegalLocationConstraintException",
            "PermanentRedirect",
            "TemporaryRedirect",
            "BareRedirect",
        ),
        "the bucket is in another region than s3.region says",
    ),
}
_GCS_SENTENCES: Final = {
    "NoSuchBucket": "Google Cloud Storage has no bucket of that name (gcs.bucket)",
    "InvalidBucketName": "Google takes the name of the bucket for none (gcs.bucket)",
    "AuthenticationRequired": "Google refused the credentials (gcs.service_account)",
    "SignatureDoesNotMatch": "Google refused the signature (gcs.service_account)",
}
_AZURE_SENTENCES: Final = {
    "ContainerNotFound": "Azure has no container of that name (azure.container)",
    "AuthenticationFailed": (
        "Azure refused the signature: azure.account_key or azure.sas_token is not the right one, "
        "or this machine's clock is wrong"
    ),
    "AuthorizationFailure": "Azure denied access: its network rules, or the rights of the key",
    "AuthorizationPermissionMismatch": "Azure denied access: the rights do not cover this",
    "KeyBasedAuthenticationNotPermitted": "the account allows no keys (azure.account_key)",
    "AccountIsDisabled": "the storage account is disabled (azure.account)",
}


def cloud_of(backend: str, config: Config) -> Cloud:
    """The cloud that `storage.backend` names.

    Raises:
        ServiceError: STORAGE_ERROR, a file with a key cannot be used.

    """
    return {"s3": _s3, "gcs": _gcs, "azure": _azure}[backend](config)


def _s3(config: Config) -> Cloud:
    s3 = config.s3
    region = s3.region or _region_of_environment()
    endpoint = _with_scheme(s3.endpoint) or f"https://s3.{region}.amazonaws.com"
    url = f"{endpoint}/{s3.bucket}" if s3.path_style else _host_of_bucket(endpoint, s3.bucket)
    credentials = None
    if s3.access_key_id:
        credentials = {
            "access_key_id": s3.access_key_id.strip(),
            "secret_access_key": s3.secret_access_key.get_secret_value().strip(),
            "token": s3.session_token.get_secret_value().strip() or None,
            "expires_at": None,
        }

    def opened(url: str, times: Times) -> S3Store:
        keys: dict[str, Any] = {
            "region": region,
            # The URL of the bucket, whichever the style; the environment's would win otherwise.
            "endpoint": url,
            "aws_endpoint_url_s3": url,
            "virtual_hosted_style_request": True,
            "skip_signature": False,
            "unsigned_payload": False,  # the server compares the bytes of every request
        }
        return S3Store(s3.bucket, **keys, **_common(url, times, credentials))

    return Cloud(
        name="S3",
        section="s3",
        url=url,
        open=lambda times: opened(url, times),
        open_at=lambda url: opened(url, QUICK),
        sign=link_of_obstore,
        sentences=_S3_SENTENCES,
        attributes=_storage_class(s3.storage_class and s3.storage_class.upper()),
    )


def _gcs(config: Config) -> Cloud:
    gcs = config.gcs
    base = _with_scheme(gcs.endpoint or _GOOGLE)
    keys: dict[str, Any] = {"base_url": base, "skip_signature": False}
    if gcs.service_account:
        keys["service_account"] = gcs.service_account

    def opened(times: Times) -> GCSStore:
        try:
            return GCSStore(gcs.bucket, **keys, **_common(base, times))
        except BaseError as error:
            message = "gcs.service_account cannot be read, or holds no key of a service account"
            raise ServiceError(ErrorCode.STORAGE_ERROR, message) from error

    return Cloud(
        name="Google Cloud Storage",
        section="gcs",
        url=f"{base}/{gcs.bucket}",
        open=opened,
        sign=link_to_encoded,
        link_host=_GOOGLE,
        sentences=_GCS_SENTENCES,
        attributes=_storage_class(gcs.storage_class and gcs.storage_class.upper()),
    )


def _azure(config: Config) -> Cloud:
    azure = config.azure
    endpoint = _with_scheme(azure.endpoint) or f"https://{azure.account}.blob.core.windows.net"
    key = azure.account_key.get_secret_value()
    signing_key = key or _first_of_environment(_AZURE_KEYS)
    sas = azure.sas_token.get_secret_value().removeprefix("?")
    credentials: dict[str, Any] | None = None
    if key or sas:
        credentials = {"access_key": key} if key else {"sas_token": sas}
        credentials["expires_at"] = None
    keys: dict[str, Any] = {
        "account_name": azure.account,
        "endpoint": endpoint,
        "skip_signature": False,
    }
    url = f"{endpoint}/{azure.container}"
    return Cloud(
        name="Azure",
        section="azure",
        url=url,
        open=lambda times: AzureStore(
            azure.container, **keys, **_common(endpoint, times, credentials)
        ),
        sign=azure_signer(azure.account, signing_key, url) if signing_key else link_to_plain,
        plain_names=not (signing_key or azure.public),
        sentences=_AZURE_SENTENCES,
        attributes=_storage_class(azure.storage_class and azure.storage_class.capitalize()),
    )


def _common(url: str, times: Times, credentials: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {
        "client_options": {**times.client, "allow_http": urlsplit(url).scheme == "http"},
        "retry_config": times.retry,
        "credential_provider": None if credentials is None else lambda: credentials,
    }


def _storage_class(name: str | None) -> dict[str, str]:
    return {"Storage-Class": name} if name else {}


def _with_scheme(endpoint: str) -> str:
    return endpoint if not endpoint or "://" in endpoint else f"https://{endpoint}"


def _host_of_bucket(endpoint: str, bucket: str) -> str:
    scheme, _, host = endpoint.partition("://")
    return f"{scheme}://{bucket}.{host}"


def _region_of_environment() -> str:
    return _first_of_environment(("AWS_REGION", "AWS_DEFAULT_REGION")) or "us-east-1"


def _first_of_environment(names: Sequence[str]) -> str:
    return next(filter(None, map(os.environ.get, names)), "")
