"""What goes over the wire, as values: a request, its answer, and XML between them."""

import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import formatdate
from time import gmtime, strftime
from typing import TypeAlias
from urllib.parse import unquote, unquote_plus

Headers: TypeAlias = Mapping[str, str]
"""Names in lower case; values as Latin-1, which keeps every byte."""

Node: TypeAlias = tuple[str, "str | int | Sequence[Node]"]
"""An XML element: its tag, and its text or its children."""


@dataclass
class Asked:
    """One request as the server's log keeps it; `status` is None where none was sent (yet)."""

    operation: str
    method: str
    key: str
    query: Headers
    headers: Headers
    status: int | None = None

    @property
    def part(self) -> int | None:
        """The number of the part that it brings."""
        number = self.query.get("partNumber", "")
        return int(number) if number.isdigit() else None


@dataclass(frozen=True)
class Request:
    """A request with its body; `bucket` and `key` are empty where the path names none."""

    method: str
    bucket: str
    key: str
    query: Headers
    headers: Headers
    body: bytes = b""
    md5: bytes = b""
    crc64: int = 0

    @property
    def operation(self) -> str:
        """OSS's name of the operation; "Unknown" where this server has none."""
        names = _operations(self)
        return next((name for name, asked in names if asked), "Unknown")

    @property
    def resource(self) -> str:
        """What signatures call the resource: the bucket and the key, of any style of address."""
        return f"/{self.bucket}/{self.key}" if self.bucket else "/"


@dataclass
class Answer:
    """A status, headers and a body."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


def parse_target(method: str, target: str, headers: Headers) -> Request:
    """A request without its body, of a path style address: the first name is the bucket."""
    path, _, raw_query = target.partition("?")
    bucket, _, key = path.removeprefix("/").partition("/")
    pairs = (item.partition("=") for item in raw_query.split("&") if item)
    query = {unquote_plus(name): unquote_plus(value) for name, _, value in pairs}
    return Request(method, unquote(bucket), unquote(key), query, headers)


def _operations(request: Request) -> Sequence[tuple[str, bool]]:
    if not request.bucket:
        return [("ListBuckets", request.method == "GET")]
    return _on_objects(request) if request.key else _on_buckets(request)


def _on_buckets(request: Request) -> Sequence[tuple[str, bool]]:
    query, get = request.query, request.method == "GET"
    return [
        ("DeleteMultipleObjects", request.method == "POST" and "delete" in query),
        ("ListMultipartUploads", get and "uploads" in query),
        ("GetBucketInfo", get and "bucketInfo" in query),
        ("ListObjectsV2", get and query.get("list-type") == "2"),
        ("ListObjects", get and not query.keys() & _SUBRESOURCES),
    ]


def _on_objects(request: Request) -> Sequence[tuple[str, bool]]:
    query, method = request.query, request.method
    upload, copies = "uploadId" in query, "x-oss-copy-source" in request.headers
    plain = not query.keys() & _SUBRESOURCES and not copies
    return [
        ("InitiateMultipartUpload", method == "POST" and "uploads" in query),
        ("UploadPart", method == "PUT" and upload and "partNumber" in query and not copies),
        ("ListParts", method == "GET" and upload),
        ("CompleteMultipartUpload", method == "POST" and upload),
        ("AbortMultipartUpload", method == "DELETE" and upload),
        ("PutObjectTagging", method == "PUT" and "tagging" in query),
        ("GetObjectTagging", method == "GET" and "tagging" in query),
        ("GetObjectMeta", method in {"GET", "HEAD"} and "objectMeta" in query),
        ("PutObject", method == "PUT" and plain),
        ("GetObject", method == "GET" and plain),
        ("HeadObject", method == "HEAD" and plain),
        ("DeleteObject", method == "DELETE" and plain),
    ]


_SUBRESOURCES = {"acl", "append", "cors", "delete", "encryption", "lifecycle", "live", "location"}
_SUBRESOURCES |= {"logging", "objectMeta", "policy", "referer", "replication", "restore", "stat"}
_SUBRESOURCES |= {"symlink", "tagging", "uploadId", "uploads", "versioning", "versions", "website"}


def document(root: Node) -> bytes:
    """An XML document."""
    text = ET.tostring(_element(root), "unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'.encode()


def _element(node: Node) -> ET.Element:
    tag, content = node
    element = ET.Element(tag)
    if isinstance(content, (str, int)):
        element.text = str(content)
    else:
        element.extend(_element(child) for child in content)
    return element


def xml_answer(root: Node) -> Answer:
    """200 with a document."""
    return Answer(headers={"Content-Type": "application/xml"}, body=document(root))


def http_date(seconds: float) -> str:
    """A time as HTTP's headers have it."""
    return formatdate(seconds, usegmt=True)


def iso_date(seconds: float) -> str:
    """A time as OSS's documents have it."""
    return strftime("%Y-%m-%dT%H:%M:%S.000Z", gmtime(seconds))
