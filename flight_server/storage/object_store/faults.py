"""What obstore raises, and what is said of it.

Fault            of `flight_server.storage.faults`
└── Mismatch     what is there is not what was sent

obstore tells of a refusal by a text, with the status and what the server said in it.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from obstore.exceptions import BaseError

from flight_server.storage.faults import Fault
from flight_server.storage.object_store.settings import Cloud

NOT_FOUND: Final = "NotFound"
"""Stands for the code where a server says none, as in every answer to HEAD."""

NO_SUCH_KEY: Final = frozenset({NOT_FOUND, "NoSuchKey", "BlobNotFound"})
DENIED: Final = frozenset({"AccessDenied", "AuthorizationPermissionMismatch", "Forbidden"})

_STATUS: Final = re.compile(r"(?:status code|\(code): (\d{3})")
"""Of an answer, or of the part of one that is about one object of several (Azure's batches)."""

_CODE: Final = re.compile(r"<Code>(\w{1,80})</Code>")
_REDIRECT: Final = "Received redirect without LOCATION"
_OF_OTHERS: Final = r"(?:at location|for key) .*?(?: not found|:)|<Error>.*|Debug source.*"
"""What a text holds of names of objects, what the server wrote, and how obstore says it in Rust."""

_CREDENTIALS: Final = re.compile(r"token request|credential|signBlob|//169\.254\.", re.IGNORECASE)

_TRANSIENT_CODES: Final = frozenset(
    {"RequestTimeout", "InternalError", "ServiceUnavailable", "SlowDown", "OperationAborted"}
    | {"ContainerBeingDeleted", "ServerBusy", "OperationTimedOut", "BadDigest", "Md5Mismatch"}
    | {"IncompleteBody", "XAmzContentSHA256Mismatch", "NoSuchUpload", "InvalidPart"}
)
"""Of refusals below 500 that a file sent anew may not meet again."""

_TRANSIENT_STATUS: Final = frozenset({408, 429})

_MINUTES_OF_SKEW: Final = "this machine's clock is wrong: by more than 15 minutes"


class Mismatch(Fault):
    """Size or content differ."""

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(f"{cloud.name} holds other bytes than were sent", transient=True)


@contextmanager
def translated(cloud: Cloud) -> Iterator[None]:
    """Turn what one call of obstore raises into a `Fault`. Nothing else belongs inside."""
    try:
        yield
    except (BaseError, OSError) as error:
        raise fault_of(error, cloud) from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # Rust's, which has no class to import
            raise
        raise Fault(f"the client of {cloud.name} broke down", transient=True) from error


def fault_of(error: Exception, cloud: Cloud) -> Fault:
    """What an error of obstore means."""
    text = str(error)
    found = _STATUS.search(text)
    status = int(found[1]) if found else 0
    code = _code(error, text, status, cloud)
    transient = (
        code in _TRANSIENT_CODES
        or status in _TRANSIENT_STATUS
        or status >= 500
        or (not status and not code)
    )
    return Fault(
        _sentence(text, code, status, cloud), code=code, status=status, transient=transient
    )


def _code(error: Exception, text: str, status: int, cloud: Cloud) -> str:
    if found := _CODE.search(text):
        return found[1]
    if _is_of_credentials(text, cloud):
        return ""  # who gives them out refused, and says nothing of objects or permissions on them
    if _REDIRECT in text:
        return "BareRedirect"
    if isinstance(error, FileNotFoundError) or status == 404:
        return NOT_FOUND
    return "Forbidden" if status == 403 else ""


def _sentence(text: str, code: str, status: int, cloud: Cloud) -> str:
    name, section = cloud.name, cloud.section
    if code in cloud.sentences:
        return cloud.sentences[code]
    if code == "RequestTimeTooSkewed":
        return _MINUTES_OF_SKEW
    if not code and _is_of_credentials(text, cloud):
        return f"there are no usable credentials for {name} (see the keys of {section})"
    if code in DENIED:
        return f"{name} denied access: the key lacks a permission"
    if not status:
        return f"{name} could not be reached ({section}.endpoint)"
    return f"{name} answered {status} {code if code != NOT_FOUND else ''}".rstrip()


def _is_of_credentials(text: str, cloud: Cloud) -> bool:
    others = rf"{re.escape(cloud.url)}\S*|{_OF_OTHERS}"
    return _CREDENTIALS.search(re.sub(others, "", text, flags=re.DOTALL)) is not None
