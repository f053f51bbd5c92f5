"""Whether the store is there and lets us do what we will have to: one sentence if not."""

import os
from collections.abc import Callable
from typing import Final

from flight_server.errors import ErrorCode, ServiceError
from flight_server.logs import Event, Logger
from flight_server.storage.faults import NO_SUCH_KEY, Fault
from flight_server.storage.names import tag_header
from flight_server.storage.oss.client import OssClient

PROBE_NAME: Final = ".export-middleware-probe"

_DENIED: Final = "AccessDenied"

WORKING: Final = "OSS answers, and the bucket can be used"


def look(client: OssClient, prefix: str) -> None:
    """Ask for an object that is not there: endpoint, bucket, credentials and clock.

    Raises Fault. A key that may not read is none: whether it may write is another question.
    """
    try:
        client.look(f"{prefix}{PROBE_NAME}")
    except Fault as fault:
        if fault.code not in {NO_SUCH_KEY, _DENIED}:
            raise


def try_out(
    client: OssClient,
    prefix: str,
    headers: dict[str, str],
    tags: dict[str, str],
    persist: Callable[[Callable[[], None]], None],
    log: Logger,
) -> None:
    """Look, then store, tag and delete a few bytes, as an export will.

    Raises:
        ServiceError: STORAGE_ERROR, with the sentence.

    """
    key = f"{prefix}{PROBE_NAME}-{os.urandom(4).hex()}"
    try:
        persist(lambda: look(client, prefix))
        persist(lambda: client.write(key, b"probe", headers))
    except Fault as fault:
        raise _refused(fault, "write to the bucket") from fault
    try:
        if tags:
            tagged = {**headers, "x-oss-tagging": tag_header(tags)}
            persist(lambda: client.write(key, b"probe", tagged))
            persist(lambda: client.tag(key, tags))
    except Fault as fault:
        raise _refused(fault, "tag objects (oss.tags; {} for none)") from fault
    finally:
        _remove(client, key, persist, log)


def _remove(
    client: OssClient, key: str, persist: Callable[[Callable[[], None]], None], log: Logger
) -> None:
    try:
        persist(lambda: client.delete(key))
    except Fault as fault:
        message = "the key may not delete objects: what fails half way cannot be removed"
        log.warning(Event.UploadError, message, error=fault)


def _refused(fault: Fault, what: str) -> ServiceError:
    sentence = f"the key for OSS may not {what}" if fault.code == _DENIED else fault.sentence
    return ServiceError(ErrorCode.STORAGE_ERROR, f"the store cannot be used: {sentence}")
