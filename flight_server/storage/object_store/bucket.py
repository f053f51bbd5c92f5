"""One request each: everything that fails is a `Fault`, after obstore has tried again."""

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, BinaryIO, Final
from urllib.parse import quote, urlsplit

import obstore

from flight_server.storage.faults import Fault
from flight_server.storage.object_store.faults import NO_SUCH_KEY, translated
from flight_server.storage.object_store.settings import QUICK, Cloud, Times

READ_SIZE: Final = 8 * 1024**2
"""Bytes asked for at once of an object that is read."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What a store says of an object."""

    size: int
    etag: str


class Bucket:
    """A bucket or container. Thread safe."""

    def __init__(self, cloud: Cloud, times: Times) -> None:
        self.cloud = cloud
        self._store = cloud.open(times)
        self._quick = cloud.open(QUICK)

    def head(self, key: str, *, quick: bool = False) -> Stored | None:
        """What is stored under `key`; None where there is nothing."""
        try:
            with translated(self.cloud):
                found = obstore.head(self._quick if quick else self._store, key)
        except Fault as fault:
            if fault.code in NO_SUCH_KEY:
                return None
            raise
        return Stored(found["size"], (found["e_tag"] or "").strip('"'))

    def look(self, key: str, *, quick: bool = False) -> None:
        """Ask for an object with a body in the answer, which says why it was refused.

        Raises a Fault; one of `NO_SUCH_KEY` means that all is well.
        """
        with translated(self.cloud):
            obstore.get(self._quick if quick else self._store, key)

    def write(self, key: str, data: bytes) -> None:
        """Store a few bytes."""
        with translated(self.cloud):
            obstore.put(
                self._store, key, data, attributes=dict(self.cloud.attributes), use_multipart=False
            )

    def delete(self, key: str) -> None:
        """Remove an object; none is fine too."""
        try:
            with translated(self.cloud):
                obstore.delete(self._store, key)
        except Fault as fault:
            if fault.code not in NO_SUCH_KEY:
                raise

    def objects(self, directory: str) -> Iterator[tuple[str, float]]:
        """Keys below `directory`, and when each was stored (Unix seconds)."""
        with translated(self.cloud):
            pages = iter(obstore.list(self._store, directory or None))
        while (page := self._next(pages)) is not None:
            for each in page:
                yield each["path"], each["last_modified"].timestamp()

    def open_writer(
        self, key: str, attributes: Mapping[str, str], part_size: int, parallel_parts: int
    ) -> Any:
        """A writer of obstore; makes no request yet."""
        with translated(self.cloud):
            return obstore.open_writer(
                self._store,
                key,
                attributes={**self.cloud.attributes, **attributes},
                buffer_size=part_size,
                max_concurrency=parallel_parts,
            )

    def open_reader(self, key: str) -> BinaryIO:
        """The bytes of an object, from the start. Raises Fault."""
        with translated(self.cloud):
            reader = obstore.open_reader(self._store, key, buffer_size=READ_SIZE)
        return io.BufferedReader(_Reader(reader, self.cloud), READ_SIZE)

    def sign(self, key: str, lifetime: timedelta) -> str:
        """A signed link to an object."""
        with translated(self.cloud):
            return self._public(self.cloud.sign(self._store, key, lifetime))

    def url(self, key: str) -> str:
        """A plain link to an object."""
        return self._public(f"{self.cloud.url}/{quote(key)}")

    def _public(self, link: str) -> str:
        """A link as people reach it."""
        if self.cloud.link_host is None:
            return link
        return urlsplit(link)._replace(scheme="https", netloc=self.cloud.link_host).geturl()

    def _next(self, pages: Iterator[Any]) -> Any:
        with translated(self.cloud):
            return next(pages, None)


class _Reader(io.RawIOBase):
    """obstore's reader as a file of Python. What breaks off is an OSError, never a shorter file."""

    def __init__(self, reader: Any, cloud: Cloud) -> None:
        self._reader = reader
        self._cloud = cloud

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        try:
            with translated(self._cloud):
                data = memoryview(self._reader.read(len(buffer)))
        except Fault as fault:
            raise OSError(fault.sentence) from fault
        buffer[: len(data)] = data
        return len(data)
