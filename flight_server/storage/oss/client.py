"""One request each: nothing here is made again, and everything that fails is a `Fault`."""

import io
import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO, Final, cast

import oss2
import requests
import urllib3
from oss2.models import PartInfo, Tagging, TaggingRule

from flight_server.config import Signature
from flight_server.storage.faults import Fault
from flight_server.storage.oss.body import FileBody
from flight_server.storage.oss.credentials import RoleProvider, provider_of
from flight_server.storage.oss.faults import EXPIRED, translated
from flight_server.storage.oss.settings import OssSettings

QUICK: Final = 2.0
"""Seconds that a look may take whose answer is only nice to have."""

_BLOCK: Final = 256 * 1024
"""Bytes handed to the socket at once; http.client's 16 KiB cost a call and a system call each."""

_APP: Final = "export-middleware"

# It logs each failure once more, with the whole request, and much of it as an error.
logging.getLogger("oss2").setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True)
class Stored:
    """What OSS says of an object."""

    size: int
    crc: int | None


@dataclass(frozen=True, slots=True)
class SentPart:
    """What OSS says of a part."""

    number: int
    size: int
    etag: str


@dataclass(frozen=True, slots=True)
class OpenUpload:
    """A multipart upload that is neither complete nor aborted."""

    key: str
    upload_id: str
    initiated_at: float
    """Unix seconds."""


class _Adapter(requests.adapters.HTTPAdapter):
    """Connections for as many threads as there are; retries stay off, see `patience`."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs, blocksize=_BLOCK)


class Download(io.RawIOBase):
    """The body of an answer, as a file. What breaks off is an OSError, never a shorter file."""

    def __init__(self, raw: urllib3.BaseHTTPResponse) -> None:
        self._raw = raw

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        try:
            data = self._raw.read(len(buffer))
        except urllib3.exceptions.HTTPError as error:
            raise OSError("the connection to OSS broke off") from error
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._raw.close()
        super().close()


class OssClient:
    """A bucket. Thread safe."""

    def __init__(self, settings: OssSettings) -> None:
        self._sending_headers = dict(settings.sending_headers)
        pool = settings.threads + settings.parallel_parts
        adapter = _Adapter(pool_connections=2, pool_maxsize=pool)
        self._session = oss2.Session(adapter=adapter)
        self._session.session.auth = _as_signed
        self.provider = provider_of(settings)
        patient = (settings.connect_timeout, settings.read_timeout)
        quick = (min(QUICK, settings.connect_timeout), min(QUICK, settings.read_timeout))
        self._bucket = self._opened(settings, settings.upload_endpoint, patient)
        self._quick = self._opened(settings, settings.upload_endpoint, quick)
        self._public = self._opened(settings, settings.endpoint, quick)

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Turn what one request raises into a `Fault`.

        Keys of a role that are refused have ended before they were to: with new ones the same
        request may succeed.
        """
        try:
            with translated():
                yield
        except Fault as fault:
            if fault.code in EXPIRED and isinstance(self.provider, RoleProvider):
                self.provider.forget()
                fault.transient = True
            raise

    def put(self, key: str, body: FileBody, headers: Mapping[str, str]) -> int | None:
        """Store an object; the checksum that OSS found, if it says."""
        with self._asking():
            # Without a length, requests sends an empty body in chunks.
            data = body if body.len else b""
            headers = {**headers, **self._sending_headers}
            return _crc(self._bucket.put_object(key, data, headers=headers))

    def begin(self, key: str, headers: Mapping[str, str]) -> str:
        """Begin a multipart upload; its id."""
        with self._asking():
            upload_id: str = self._bucket.init_multipart_upload(key, headers=headers).upload_id
            return upload_id

    def send(self, key: str, upload_id: str, number: int, body: FileBody) -> tuple[str, int | None]:
        """Send a part; its ETag, and the checksum that OSS found."""
        with self._asking():
            result = self._bucket.upload_part(
                key, upload_id, number, body, headers=dict(self._sending_headers)
            )
            return result.etag, _crc(result)

    def complete(self, key: str, upload_id: str, etags: Mapping[int, str]) -> int | None:
        """Make the parts one object; the checksum that OSS found."""
        with self._asking():
            parts = [PartInfo(number, etag) for number, etag in etags.items()]
            result = self._bucket.complete_multipart_upload(key, upload_id, parts)
            result.resp.read()  # oss2 leaves it, and the connection would not be used again
            return _crc(result)

    def abort(self, key: str, upload_id: str) -> None:
        """Forget a multipart upload and its parts."""
        with self._asking():
            self._bucket.abort_multipart_upload(key, upload_id)

    def parts(self, key: str, upload_id: str) -> list[SentPart]:
        """The parts that are there."""
        found: list[SentPart] = []
        marker, more = "", True
        while more:
            with self._asking():
                page = self._bucket.list_parts(key, upload_id, marker=marker)
            found += (SentPart(part.part_number, part.size, part.etag) for part in page.parts)
            marker, more = page.next_marker, page.is_truncated
        return found

    def open_uploads(self, prefix: str) -> list[OpenUpload]:
        """The multipart uploads whose keys begin with `prefix`."""
        found: list[OpenUpload] = []
        key_marker = upload_id_marker = ""
        more = True
        while more:
            with self._asking():
                page = self._bucket.list_multipart_uploads(
                    prefix, key_marker=key_marker, upload_id_marker=upload_id_marker
                )
            found += (
                OpenUpload(each.key, each.upload_id, each.initiation_date)
                for each in page.upload_list
            )
            key_marker, upload_id_marker = page.next_key_marker, page.next_upload_id_marker
            more = page.is_truncated
        return found

    def objects(self, prefix: str) -> Iterator[tuple[str, float]]:
        """Keys that begin with `prefix`, and when each was stored (Unix seconds)."""
        token, more = "", True
        while more:
            with self._asking():
                page = self._bucket.list_objects_v2(prefix, continuation_token=token, max_keys=1000)
            for each in page.object_list:
                yield each.key, each.last_modified
            token, more = page.next_continuation_token, page.is_truncated

    def head(self, key: str, *, quick: bool = False) -> Stored | None:
        """What is stored under `key`; None where there is nothing."""
        try:
            with self._asking():
                found = (self._quick if quick else self._bucket).head_object(key)
                return Stored(found.content_length, found.server_crc)
        except Fault as fault:
            if fault.status == 404 and fault.code != "NoSuchBucket":
                return None
            raise

    def look(self, key: str) -> None:
        """Ask for an object with a body in the answer, which says why it was refused.

        The answer to HEAD has none. Raises a Fault; NoSuchKey means that all is well.
        """
        with self._asking():
            self._quick.get_object(key).read()

    def write(self, key: str, data: bytes, headers: Mapping[str, str]) -> None:
        """Store a few bytes."""
        with self._asking():
            self._bucket.put_object(key, data, headers=dict(headers))

    def delete(self, key: str) -> None:
        """Remove an object; none is fine too."""
        with self._asking():
            self._bucket.delete_object(key)

    def tag(self, key: str, tags: Mapping[str, str]) -> None:
        """Set the tags of an object, all of them."""
        rule = TaggingRule()
        for name, value in tags.items():
            rule.add(name, value)
        with self._asking():
            self._bucket.put_object_tagging(key, Tagging(rule))

    def open(self, key: str) -> BinaryIO:
        """The bytes of an object. Raises FileNotFoundError."""
        try:
            with self._asking():
                return cast("BinaryIO", Download(self._bucket.get_object(key).resp.response.raw))
        except Fault as fault:
            if fault.status == 404:
                raise FileNotFoundError("the object is not there") from fault
            raise fault.service_error() from fault

    def sign(self, key: str, seconds: int, params: Mapping[str, str]) -> str:
        """A link to the object at the public endpoint. Uses no network."""
        with self._asking():
            # A dict of its own: oss2 adds the signature to the one that it is given.
            link: str = self._public.sign_url(
                "GET", key, seconds, params=dict(params), slash_safe=True
            )
            return link

    def close(self) -> None:
        """Close the connections that nobody uses."""
        self._session.session.close()

    def _opened(
        self, settings: OssSettings, endpoint: str, timeouts: tuple[float, float]
    ) -> oss2.Bucket:
        by_version = {Signature.V4: oss2.ProviderAuthV4, Signature.V1: oss2.ProviderAuth}
        return oss2.Bucket(
            by_version[settings.signature](self.provider),
            endpoint,
            settings.bucket,
            is_cname=settings.cname,
            session=self._session,
            connect_timeout=timeouts,
            app_name=_APP,
            enable_crc=False,  # the bodies count for themselves, for both kinds of upload alike
            region=settings.region,
            is_path_style=settings.path_style,
        )


def etags_of(parts: Iterable[SentPart]) -> dict[int, str]:
    """ETags by the number of the part."""
    return {part.number: part.etag for part in parts}


def _crc(result: Any) -> int | None:
    crc: int | None = result.crc
    return crc


def _as_signed(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Leave the signature: without an `auth`, requests would take one from a .netrc instead."""
    return request
