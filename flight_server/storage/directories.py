"""Directories of ours: nobody else may write to them, and the operator is told what is wrong."""

import os
from pathlib import Path

from flight_server.errors import ErrorCode, ServiceError, translate


def make_private(key: str, directory: Path) -> None:
    """Create `directory` for this user only; refuse one that another user could swap files in.

    Raises:
        ServiceError: it cannot be made, or is another user's; the sentence names `key`.

    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        owner = directory.stat().st_uid
    except OSError as error:
        raise _unusable(key, error) from error
    if owner not in {os.geteuid(), 0}:
        message = f"{key} belongs to another user (uid {owner})"
        raise ServiceError(ErrorCode.STORAGE_ERROR, message)


def probe_directory(key: str, directory: Path) -> None:
    """Write a file to `directory` and remove it. Raises ServiceError with a sentence."""
    probe = directory / f".probe-{os.getpid()}-{os.urandom(4).hex()}"
    try:
        try:
            with open(probe, "xb", opener=private) as file:
                file.write(b"probe")
        finally:
            probe.unlink(missing_ok=True)
    except OSError as error:
        raise _unusable(key, error) from error


def _unusable(key: str, error: OSError) -> ServiceError:
    """A sentence for the operator that names the key and not the path."""
    code = translate(error).code
    return ServiceError(code, f"{key} cannot be written: {error.strerror}")


def private(path: str, flags: int) -> int:
    """Open a file that only this user can read; an `opener`."""
    return os.open(path, flags, 0o600)
