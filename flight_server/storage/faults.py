"""What can go wrong between us and a store of objects.

Fault
└── Stopped      somebody ended the upload

A fault is transient if the same request may succeed later. Its sentence is for callers: it holds
no credentials, no paths and no text of the server's.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from flight_server.errors import ErrorCode, ServiceError, translate

NO_SUCH_UPLOAD: Final = "NoSuchUpload"
NO_SUCH_KEY: Final = "NoSuchKey"


class Fault(Exception):
    """A request that did not do what it should."""

    def __init__(
        self, sentence: str, *, code: str = "", status: int = 0, transient: bool = False
    ) -> None:
        self.sentence = sentence
        self.code = code
        self.status = status
        self.transient = transient
        super().__init__(sentence)

    def service_error(self) -> ServiceError:
        """The fault as the service knows it."""
        return ServiceError(
            ErrorCode.UPLOAD_ERROR, f"the file could not be stored: {self.sentence}"
        )


class Stopped(Fault):
    """Nobody wants the upload any more."""

    def __init__(self) -> None:
        super().__init__("the upload was ended")


@contextmanager
def explained() -> Iterator[None]:
    """Turn what goes wrong with a store or the disk into a ServiceError."""
    try:
        yield
    except Fault as fault:
        raise fault.service_error() from fault
    except OSError as error:
        raise translate(error) from error
