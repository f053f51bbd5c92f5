"""What the configuration says of OSS, in the form in which it is used."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from flight_server.config import Config, Credentials, Encryption, Signature, StorageClass
from flight_server.config.objects import region_of

THREADS_PER_UPLOAD: Final = 4
"""So many uploads get all the threads that they may use; more of them share."""

MAX_THREADS: Final = 64

_STORAGE_CLASSES: Final = {
    StorageClass.STANDARD: "Standard",
    StorageClass.IA: "IA",
    StorageClass.ARCHIVE: "Archive",
}
_ENCRYPTIONS: Final = {Encryption.AES256: "AES256", Encryption.SM4: "SM4", Encryption.KMS: "KMS"}

_BITS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class OssSettings:
    """Everything but directories. Times are in seconds."""

    endpoint: str
    """Of the links, with its scheme."""
    upload_endpoint: str
    bucket: str
    region: str | None = None
    prefix: str = "{client}/{date}/{task_id}/{filename}"
    credentials: Credentials = Credentials.STATIC
    access_key_id: str = field(default="", repr=False)
    access_key_secret: str = field(default="", repr=False)
    security_token: str = field(default="", repr=False)
    ecs_role: str = ""
    signature: Signature = Signature.V4
    path_style: bool = False
    cname: bool = False
    public: bool = False
    part_size: int = 10 * 1024**2
    parallel_parts: int = 5
    max_retries: int = 3
    upload_timeout: float = 1800.0
    link_lifetime: timedelta = timedelta(days=7)
    retention: timedelta | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    """Of every new object."""
    sending_headers: Mapping[str, str] = field(default_factory=dict)
    """Of every request that carries bytes of a file."""
    tags: Mapping[str, str] = field(default_factory=dict)
    connect_timeout: float = 10.0
    read_timeout: float = 60.0
    """Of silence while an answer is awaited, or while nothing can be sent."""

    @property
    def threads(self) -> int:
        """All that send, whatever the number of uploads."""
        return min(MAX_THREADS, self.parallel_parts * THREADS_PER_UPLOAD)

    @classmethod
    def of(cls, config: Config) -> "OssSettings":
        """The settings of a server."""
        oss = config.oss
        endpoint = _with_scheme(oss.endpoint)
        return cls(
            endpoint=endpoint,
            upload_endpoint=_with_scheme(oss.internal_endpoint) or endpoint,
            bucket=oss.bucket,
            region=oss.region or region_of(oss.endpoint),
            prefix=oss.prefix,
            credentials=oss.credentials,
            access_key_id=oss.access_key_id,
            access_key_secret=oss.access_key_secret.get_secret_value(),
            security_token=oss.security_token.get_secret_value(),
            ecs_role=oss.ecs_role,
            signature=oss.signature,
            path_style=oss.path_style,
            cname=oss.cname,
            public=oss.public,
            part_size=oss.part_size,
            parallel_parts=oss.parallel_parts,
            max_retries=oss.max_retries,
            upload_timeout=oss.upload_timeout.total_seconds(),
            link_lifetime=oss.signed_url_expiry,
            retention=oss.retention,
            headers=_headers(config),
            sending_headers=_sending_headers(oss.traffic_limit),
            tags=oss.tags,
        )


def _with_scheme(endpoint: str) -> str:
    """`endpoint` with https where it says nothing: oss2 would take http."""
    return endpoint if not endpoint or "://" in endpoint else f"https://{endpoint}"


def _headers(config: Config) -> dict[str, str]:
    oss, headers = config.oss, {}
    if oss.storage_class is not None:
        headers["x-oss-storage-class"] = _STORAGE_CLASSES[oss.storage_class]
    if oss.server_side_encryption is not None:
        headers["x-oss-server-side-encryption"] = _ENCRYPTIONS[oss.server_side_encryption]
    if oss.kms_key_id:
        headers["x-oss-server-side-encryption-key-id"] = oss.kms_key_id
    return headers


def _sending_headers(traffic_limit: int | None) -> dict[str, str]:
    if traffic_limit is None:
        return {}
    return {"x-oss-traffic-limit": str(traffic_limit * _BITS)}
