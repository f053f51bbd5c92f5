"""The keys of the storages `s3`, `gcs` and `azure`."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field, SecretStr

from flight_server.config.basics import (
    DAY,
    MIB,
    MS,
    SECOND,
    SIGNED_LINK_MAX,
    Line,
    Section,
    Switch,
    Timeout,
)
from flight_server.config.choices import AzureTier, GcsClass, S3Class
from flight_server.config.kinds import Choice, Number, OrElse, Secret
from flight_server.config.objects import DEFAULT_PREFIX, Endpoint, NameTemplate
from flight_server.config.quantities import Duration, Size


class StoreSection(Section):
    """What is the same for all of them: names, links, and how a file goes up."""

    prefix: Annotated[str, NameTemplate()] = Field(
        default=DEFAULT_PREFIX,
        description="Names of the objects: a template, or what all begin with",
    )
    public: Switch = Field(
        default=False, description="Everyone may read the objects: links are not signed"
    )
    part_size: Annotated[int, Size(5 * MIB, 1024 * MIB)] = Field(
        default=10 * MIB,
        description="Bytes of a part, which stands in memory while it is sent; more for a file "
        "that would have over 10,000",
    )
    parallel_parts: Annotated[int, Number(1, 100)] = Field(
        default=5, description="Parts of an upload under way at once"
    )
    max_retries: Annotated[int, Number(0, 100)] = Field(
        default=3, description="Retries of a part, and of every other request"
    )
    upload_timeout: Timeout = Field(
        default=timedelta(minutes=30), description="Time for an upload from the last row on"
    )
    signed_url_expiry: Annotated[timedelta, Duration(SECOND, SIGNED_LINK_MAX)] = Field(
        default=SIGNED_LINK_MAX, description="How long a signed link lives"
    )
    retention: Annotated[timedelta | None, OrElse("keep", Duration(MS, 3650 * DAY))] = Field(
        default=None,
        description="Objects are deleted after; keep: by nobody but the store's own rules",
    )
    read_back: Switch = Field(
        default=True,
        description="Read an object and compare its SHA-256 where the ETag does not tell its bytes",
    )


class _S3Keys(Section):
    bucket: Line = Field(default="", description="Bucket")
    region: Line = Field(
        default="", description="Region; empty: AWS_REGION of the environment, else us-east-1"
    )
    endpoint: Annotated[str, Endpoint()] = Field(
        default="", description="Address of the service, where it is not that of AWS in the region"
    )
    path_style: Switch = Field(
        default=True, description="Bucket in the path of URLs, not in the host"
    )
    access_key_id: Line = Field(
        default="",
        description="Access key; empty: from the environment, the container or the machine's role",
    )
    secret_access_key: Annotated[SecretStr, Secret()] = Field(
        default=SecretStr(""), description="Its secret, never shown"
    )
    session_token: Annotated[SecretStr, Secret()] = Field(
        default=SecretStr(""), description="Token of a temporary key, never shown"
    )
    storage_class: Annotated[S3Class | None, OrElse("bucket", Choice(S3Class))] = Field(
        default=None, description="Storage class; bucket: that of the bucket"
    )


class S3Section(StoreSection, _S3Keys):
    """Amazon S3 and what speaks like it, where `storage.backend` is s3."""


class _GcsKeys(Section):
    bucket: Line = Field(default="", description="Bucket")
    endpoint: Annotated[str, Endpoint()] = Field(
        default="",
        description="Address for uploads, where it is not that of Google; links are at Google's",
    )
    service_account: Line = Field(
        default="",
        description="File with the key of a service account; empty: from the environment, or the "
        "machine's own account",
    )
    storage_class: Annotated[GcsClass | None, OrElse("bucket", Choice(GcsClass))] = Field(
        default=None, description="Storage class; bucket: that of the bucket"
    )


class GcsSection(StoreSection, _GcsKeys):
    """Google Cloud Storage, where `storage.backend` is gcs."""


class _AzureKeys(Section):
    account: Line = Field(default="", description="Storage account")
    container: Line = Field(default="", description="Container")
    endpoint: Annotated[str, Endpoint()] = Field(
        default="", description="Address of the account, where it is not that of the public cloud"
    )
    account_key: Annotated[SecretStr, Secret()] = Field(
        default=SecretStr(""),
        description="Key of the account, never shown; empty: from the environment, or the "
        "machine's identity",
    )
    sas_token: Annotated[SecretStr, Secret()] = Field(
        default=SecretStr(""),
        description="Shared access signature instead of the key, never shown; it cannot sign "
        "links: azure.public",
    )
    storage_class: Annotated[AzureTier | None, OrElse("account", Choice(AzureTier))] = Field(
        default=None, description="Access tier; account: that of the account"
    )


class AzureSection(StoreSection, _AzureKeys):
    """Azure Blob Storage, where `storage.backend` is azure."""
