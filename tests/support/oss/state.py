"""What the bucket holds: objects, and the uploads that may become some."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from threading import RLock

from tests.support.oss.crc64 import combine
from tests.support.oss.messages import Headers

MAX_PART = 10_000
MIN_PART_SIZE = 100 * 1024
MAX_PUT_SIZE = 5 * 1024**3

KEPT_HEADERS = (
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-type",
    "expires",
    "x-oss-object-acl",
    "x-oss-server-side-encryption",
    "x-oss-server-side-encryption-key-id",
)


@dataclass(frozen=True)
class StoredObject:
    """An object: `headers` are those kept with it, `meta` its x-oss-meta-* without the prefix."""

    pieces: tuple[bytes, ...] = field(repr=False)
    headers: Headers
    meta: Mapping[str, str]
    tags: Mapping[str, str]
    storage_class: str
    crc64: int
    etag: str
    modified: float
    kind: str = "Normal"
    """Multipart, where it came in parts."""

    @cached_property
    def data(self) -> bytes:
        """All bytes; joined when somebody asks, so that completing an upload copies nothing."""
        return b"".join(self.pieces)


@dataclass(frozen=True)
class Part:
    """The bytes of one part."""

    number: int
    data: bytes = field(repr=False)
    etag: str
    crc64: int
    modified: float


@dataclass
class Upload:
    """An upload in parts, not completed; `properties` are of the object that it will be."""

    upload_id: str
    key: str
    initiated: float
    properties: "Properties"
    parts: dict[int, Part] = field(default_factory=dict)


@dataclass(frozen=True)
class Properties:
    """What a request asks of an object beside its bytes."""

    headers: Headers
    meta: Mapping[str, str]
    tags: Mapping[str, str]
    storage_class: str

    def object(
        self, pieces: tuple[bytes, ...], crc: int, etag: str, modified: float, kind: str
    ) -> StoredObject:
        """An object that has them."""
        return StoredObject(
            pieces=pieces,
            headers=self.headers,
            meta=self.meta,
            tags=self.tags,
            storage_class=self.storage_class,
            crc64=crc,
            etag=etag,
            modified=modified,
            kind=kind,
        )


class Bucket:
    """One bucket. `lock` makes an operation's look and change one step."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.exists = True
        self.public_read = False
        self.created = 0.0
        self.max_put_size = MAX_PUT_SIZE
        self.min_part_size = MIN_PART_SIZE
        self.objects: dict[str, StoredObject] = {}
        self.uploads: dict[str, Upload] = {}
        self.lock = RLock()
        self._ids = count(1)

    def open_upload(self, key: str, properties: Properties, now: float) -> Upload:
        """A new upload; ids rise, as the order of their listing demands."""
        upload = Upload(f"{next(self._ids):032X}", key, now, properties)
        self.uploads[upload.upload_id] = upload
        return upload

    def close_upload(self, upload: Upload, parts: list[Part], now: float) -> StoredObject:
        """The object that `parts` make, in the upload's place."""
        crc = 0
        for part in parts:
            crc = combine(crc, part.crc64, len(part.data))
        tags = "".join(part.etag for part in parts).encode()
        etag = f"{hashlib.md5(tags).hexdigest().upper()}-{len(parts)}"
        pieces = tuple(part.data for part in parts)
        made = upload.properties.object(pieces, crc, etag, now, "Multipart")
        self.objects[upload.key] = made
        del self.uploads[upload.upload_id]
        return made
