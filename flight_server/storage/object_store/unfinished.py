"""Multipart uploads of S3 that nobody ended: found by their keys, and aborted.

obstore begins and aborts uploads, but tells no ids and lists none: after a crash, or an answer that
got lost, there would be no way to them. Its stores sign what a URL asks for, though, so that the
credentials stay with obstore, wherever it has them from: a store is opened at the URL of the bucket
with the query behind it, and whatever path it appends becomes the value of a last parameter. S3
ignores parameters that begin with `x-` (its documentation calls them custom parameters). That this
holds is tested against a server that refuses wrong signatures.
"""

import urllib.error
import urllib.request
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from http import HTTPStatus
from http.client import HTTPException
from typing import Any, Final, TypeVar
from urllib.parse import quote, urlencode

import obstore

from flight_server.storage.faults import NO_SUCH_UPLOAD, Fault
from flight_server.storage.object_store.faults import translated
from flight_server.storage.object_store.settings import Cloud, Times
from flight_server.storage.patience import Patience

_LIFETIME: Final = timedelta(minutes=5)
"""Of a signature; every attempt has its own."""

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class OpenUpload:
    """A multipart upload that is neither complete nor aborted."""

    key: str
    upload_id: str
    initiated_at: float
    """Unix seconds."""


class Unfinished:
    """The multipart uploads of a bucket. Thread safe."""

    def __init__(
        self, cloud: Cloud, open_at: Callable[[str], Any], times: Times, patience: Patience
    ) -> None:
        self._cloud = cloud
        self._open_at = open_at
        self._timeout = min(times.request, _LIFETIME).total_seconds()
        self._patience = patience

    def under(self, prefix: str) -> list[OpenUpload]:
        """Those whose keys begin with `prefix`. Raises Fault."""
        found: list[OpenUpload] = []
        markers: dict[str, str] | None = {}
        while markers is not None:
            query = {"uploads": "", "prefix": prefix, **markers}
            page = self._insist("GET", "", query, _page)
            found += page.uploads
            markers = page.next
        return found

    def abort(self, key: str) -> None:
        """Abort every upload of exactly `key`. Raises Fault."""
        for each in self.under(key):
            if each.key == key:
                self.abort_one(each)

    def abort_one(self, upload: OpenUpload) -> None:
        """Abort it; one that is no more is fine too. Raises Fault."""
        try:
            query = {"uploadId": upload.upload_id}
            self._insist("DELETE", quote(upload.key), query, lambda _: None)
        except Fault as fault:
            if fault.code != NO_SUCH_UPLOAD:
                raise

    def _insist(
        self, method: str, path: str, query: dict[str, str], read: Callable[[bytes], Answer]
    ) -> Answer:
        return self._patience.insist(partial(self._ask, method, path, query, read))

    def _ask(
        self, method: str, path: str, query: dict[str, str], read: Callable[[bytes], Answer]
    ) -> Answer:
        url = self._signed(method, path, query)
        with self._answering():
            request = urllib.request.Request(url, method=method)  # noqa: S310 - http or https
            with urllib.request.urlopen(request, timeout=self._timeout) as answer:  # noqa: S310
                return read(answer.read())

    def _signed(self, method: str, path: str, query: dict[str, str]) -> str:
        at = f"{self._cloud.url}/{path}" if path else self._cloud.url
        with translated(self._cloud):
            store = self._open_at(f"{at}?{urlencode(query, quote_via=quote)}&x-path=")
            return str(obstore.sign(store, method, "-", _LIFETIME))  # type: ignore[call-overload]

    @contextmanager
    def _answering(self) -> Iterator[None]:
        try:
            yield
        except urllib.error.HTTPError as error:
            with error:
                code = NO_SUCH_UPLOAD if error.code == HTTPStatus.NOT_FOUND else ""
                sentence = f"{self._cloud.name} answered {error.code} about unfinished uploads"
                transient = error.code >= HTTPStatus.INTERNAL_SERVER_ERROR
                raise Fault(sentence, code=code, status=error.code, transient=transient) from error
        except (OSError, HTTPException) as error:
            sentence = f"{self._cloud.name} could not be reached ({self._cloud.section}.endpoint)"
            raise Fault(sentence, transient=True) from error
        except (ET.ParseError, ValueError) as error:
            raise Fault(f"{self._cloud.name} sent half an answer", transient=True) from error


@dataclass(frozen=True, slots=True)
class _Page:
    uploads: list[OpenUpload]
    next: dict[str, str] | None


def _page(body: bytes) -> _Page:
    root = ET.fromstring(body)  # noqa: S314 - of a server that we trust with the files
    uploads = [
        OpenUpload(_text(each, "Key"), _text(each, "UploadId"), _time(_text(each, "Initiated")))
        for each in root.iterfind("{*}Upload")
    ]
    if _text(root, "IsTruncated") != "true":
        return _Page(uploads, None)
    keys = _text(root, "NextKeyMarker"), _text(root, "NextUploadIdMarker")
    return _Page(uploads, dict(zip(("key-marker", "upload-id-marker"), keys, strict=True)))


def _text(element: ET.Element, name: str) -> str:
    return element.findtext(f"{{*}}{name}", "")


def _time(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
