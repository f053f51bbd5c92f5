"""Words that a key can have."""

from enum import StrEnum


class Backend(StrEnum):
    """The storage backends of this version."""

    LOCAL = "local"
    OSS = "oss"
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
