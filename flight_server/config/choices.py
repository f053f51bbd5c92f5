"""Words that a key can have."""

from enum import StrEnum


class Backend(StrEnum):
    """The storages of this package; others come with packages of their own."""

    LOCAL = "local"
    OSS = "oss"
    S3 = "s3"
    GCS = "gcs"
    AZURE = "azure"
    MEMORY = "memory"


class Signature(StrEnum):
    """Signature versions of OSS."""

    V4 = "v4"
    V1 = "v1"


class Credentials(StrEnum):
    """Where the key of OSS comes from."""

    STATIC = "static"
    ENVIRONMENT = "environment"
    ECS_RAM_ROLE = "ecs_ram_role"


class StorageClass(StrEnum):
    """What OSS charges for: keeping, or reading."""

    STANDARD = "standard"
    IA = "ia"
    ARCHIVE = "archive"


class Encryption(StrEnum):
    """How OSS encrypts what it keeps."""

    AES256 = "aes256"
    SM4 = "sm4"
    KMS = "kms"


class S3Class(StrEnum):
    """Storage classes of S3 that give a file at once: a link could not wait for the others."""

    STANDARD = "standard"
    STANDARD_IA = "standard_ia"
    ONEZONE_IA = "onezone_ia"
    INTELLIGENT_TIERING = "intelligent_tiering"
    GLACIER_IR = "glacier_ir"


class GcsClass(StrEnum):
    """Storage classes of Google Cloud Storage."""

    STANDARD = "standard"
    NEARLINE = "nearline"
    COLDLINE = "coldline"
    ARCHIVE = "archive"


class AzureTier(StrEnum):
    """Access tiers of Azure that give a file at once."""

    HOT = "hot"
    COOL = "cool"
    COLD = "cold"


class LogLevel(StrEnum):
    """From which severity on events are written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    """For machines, or for people."""

    JSON = "json"
    TEXT = "text"
