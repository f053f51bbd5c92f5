"""Whether the store is there and lets us do what we will have to: one sentence if not."""

import os
from typing import Final

from flight_server.errors import ErrorCode, ServiceError
from flight_server.logs import Event, Logger
from flight_server.storage.faults import Fault
from flight_server.storage.object_store.bucket import Bucket
from flight_server.storage.object_store.faults import DENIED, NO_SUCH_KEY

PROBE_NAME: Final = ".export-middleware-probe"


def look(bucket: Bucket, directory: str, *, quick: bool = False) -> None:
    """Ask for an object that is not there: endpoint, bucket and credentials.

    Raises Fault. A key that may not read is none: whether it may write is another question.
    """
    try:
        bucket.look(f"{directory}{PROBE_NAME}", quick=quick)
    except Fault as fault:
        if fault.code not in NO_SUCH_KEY | DENIED:
            raise


def try_out(bucket: Bucket, directory: str, log: Logger) -> None:
    """Look, then store and delete a few bytes, as an export will.

    Raises:
        ServiceError: STORAGE_ERROR, with the sentence.

    """
    key = f"{directory}{PROBE_NAME}-{os.urandom(4).hex()}"
    try:
        look(bucket, directory)
        bucket.write(key, b"probe")
    except Fault as fault:
        raise unusable(fault, bucket) from fault
    try:
        bucket.delete(key)
    except Fault as fault:
        message = "the key may not delete objects: what fails half way cannot be removed"
        log.warning(Event.UploadError, message, error=fault)


def unusable(fault: Fault, bucket: Bucket) -> ServiceError:
    """The fault as the operator is told of it."""
    place = "container" if bucket.cloud.section == "azure" else "bucket"
    sentence = fault.sentence
    if fault.code in DENIED:
        sentence = f"the key for {bucket.cloud.name} may not write to the {place}"
    return ServiceError(ErrorCode.STORAGE_ERROR, f"the store cannot be used: {sentence}")
