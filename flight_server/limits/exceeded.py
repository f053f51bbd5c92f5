"""How an export is refused that is larger than it may be."""

from flight_server.errors import ErrorCode, ServiceError


def exceeded(key: str, met: str, most: int) -> ServiceError:
    """Make the refusal by `limits.<key>`: what was met, and the `most` that may be."""
    return ServiceError(ErrorCode.LIMIT_EXCEEDED, f"limits.{key}: {met}; at most {most:,}")
