"""Signed links, for every name that an object can have.

What was found of obstore 0.12.1, against servers that verify signatures (Azurite among them):

- For S3 its links hold for every name.
- For Google it puts the name into the URL as it is: a `#`, `?` or `%` in it makes the link one to
  another object. A name that is percent-encoded already stays so, and is signed so. It signs for
  Google's own host, whatever `gcs.endpoint` is: links are to that host.
- For Azure it signs the percent-encoded name, where Azure (and its emulator) want it decoded: a
  link to any name with a space in it is refused. So with the key of the account links are signed
  here; without it only names that need no encoding have links, and objects get no others.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias
from urllib.parse import quote, urlencode, urlsplit

import obstore

from flight_server.storage.faults import Fault

Signer: TypeAlias = Callable[[Any, str, timedelta], str]
"""A link by which a GET gets the object of a key, of a store of obstore, for a time."""

_SAS_VERSION: Final = "2022-11-02"

_EARLIER: Final = timedelta(minutes=5)
"""A link holds since then: clocks differ."""


def link_of_obstore(store: Any, key: str, lifetime: timedelta) -> str:
    """A link as obstore signs it."""
    return str(obstore.sign(store, "GET", key, lifetime))


def link_to_encoded(store: Any, key: str, lifetime: timedelta) -> str:
    """A link of obstore, which is told the name percent-encoded."""
    return link_of_obstore(store, quote(key), lifetime)


def link_to_plain(store: Any, key: str, lifetime: timedelta) -> str:
    """A link of obstore, for names that percent-encoding leaves as they are. Raises Fault."""
    if quote(key) != key:
        raise Fault("the link to a name that is not plain ASCII needs azure.account_key")
    return link_of_obstore(store, key, lifetime)


def azure_signer(account: str, account_key: str, url: str) -> Signer:
    """Signs links to the blobs of the container at `url`.

    Source: "Create a service SAS" of Microsoft's documentation, versions since 2020-12-06.
    """
    secret = base64.b64decode(account_key)
    container = urlsplit(url).path.rpartition("/")[2]

    def sign(store: Any, key: str, lifetime: timedelta) -> str:  # noqa: ARG001 - a Signer
        now = datetime.now(UTC)
        begin, end = _time(now - _EARLIER), _time(now + lifetime)
        resource = f"/blob/{account}/{container}/{key}"
        fields = ["r", begin, end, resource, "", "", "", _SAS_VERSION, "b", *[""] * 7]
        signed = hmac.new(secret, "\n".join(fields).encode(), hashlib.sha256).digest()
        query = {
            "sp": "r",
            "st": begin,
            "se": end,
            "sv": _SAS_VERSION,
            "sr": "b",
            "sig": base64.b64encode(signed).decode(),
        }
        return f"{url}/{quote(key)}?{urlencode(query)}"

    return sign


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
