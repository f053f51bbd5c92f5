"""The keys of the storage `oss`."""

from collections.abc import Mapping
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
from flight_server.config.choices import Credentials, Encryption, Signature, StorageClass
from flight_server.config.kinds import Choice, Number, OrElse, Secret
from flight_server.config.objects import DEFAULT_PREFIX, DEFAULT_TAGS, Endpoint, NameTemplate, Tags
from flight_server.config.quantities import Duration, Size


class OssSection(Section):
    """Alibaba Cloud OSS, where `storage.backend` is oss."""

    endpoint: Annotated[str, Endpoint()] = Field(
        default="", description="Address of the service, and of the links; https if it does not say"
    )
    internal_endpoint: Annotated[str, Endpoint()] = Field(
        default="", description="Address for uploads where it is another one than that of the links"
    )
    region: Line = Field(
        default="", description="Region, for signature v4; empty: the one the endpoint names"
    )
    bucket: Line = Field(default="", description="Bucket")
    prefix: Annotated[str, NameTemplate()] = Field(
        default=DEFAULT_PREFIX,
        description="Names of the objects: a template, or what all begin with",
    )
    credentials: Annotated[Credentials, Choice(Credentials)] = Field(
        default=Credentials.STATIC,
        description="static: keys below; environment: its OSS_… names; ecs_ram_role: oss.ecs_role",
    )
    access_key_id: Line = Field(default="", description="Access key")
    access_key_secret: Annotated[SecretStr, Secret()] = Field(
        default=SecretStr(""), description="Its secret, never shown"
    )
    security_token: Annotated[SecretStr, Secret()] = Field(
        default=SecretStr(""), description="Token of a temporary key, never shown"
    )
    ecs_role: Line = Field(default="", description="Name of the role, for ecs_ram_role")
    signature: Annotated[Signature, Choice(Signature)] = Field(
        default=Signature.V4, description="Version of the signature; v1 needs no region"
    )
    path_style: Switch = Field(
        default=False, description="Bucket in the path of URLs, not in the host"
    )
    cname: Switch = Field(default=False, description="The endpoint is a domain bound to the bucket")
    public: Switch = Field(
        default=False, description="Everyone may read the bucket: links are not signed"
    )
    part_size: Annotated[int, Size(100 * 1024, 5 * 1024 * MIB)] = Field(
        default=10 * MIB,
        description="Bytes of the first parts; they grow so that 10,000 are enough",
    )
    parallel_parts: Annotated[int, Number(1, 100)] = Field(
        default=5, description="Parts of an upload under way at once"
    )
    max_retries: Annotated[int, Number(0, 100)] = Field(
        default=3, description="Retries of a part, and of every other request"
    )
    upload_timeout: Timeout = Field(
        default=timedelta(minutes=30),
        description="Time for an upload from the last row on; before, for a part",
    )
    signed_url_expiry: Annotated[timedelta, Duration(SECOND, SIGNED_LINK_MAX)] = Field(
        default=SIGNED_LINK_MAX, description="How long a signed link lives"
    )
    retention: Annotated[timedelta | None, OrElse("keep", Duration(MS, 3650 * DAY))] = Field(
        default=None,
        description="Objects are deleted after; keep: by nobody but the bucket's rules",
    )
    storage_class: Annotated[StorageClass | None, OrElse("bucket", Choice(StorageClass))] = Field(
        default=None, description="Storage class; bucket: that of the bucket"
    )
    server_side_encryption: Annotated[Encryption | None, OrElse("bucket", Choice(Encryption))] = (
        Field(default=None, description="Encryption; bucket: as the bucket says")
    )
    kms_key_id: Line = Field(
        default="", description="Key for the encryption kms; empty: the account's own"
    )
    tags: Annotated[Mapping[str, str], Tags()] = Field(
        default=DEFAULT_TAGS, description="Tags of the objects; {}: none"
    )
    traffic_limit: Annotated[int | None, OrElse("none", Size(102_400, 104_857_600))] = Field(
        default=None, description="Bytes a second of each part under way"
    )
