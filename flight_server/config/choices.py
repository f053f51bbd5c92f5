"""Words that a key can have."""

from enum import StrEnum


class Backend(StrEnum):
    """The storage backends of this version."""

    LOCAL = "local"
    MEMORY = "memory"


class Signature(StrEnum):
    """Signature versions of OSS."""

    V4 = "v4"
    V1 = "v1"


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
