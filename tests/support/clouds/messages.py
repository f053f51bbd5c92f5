"""What goes over the wire, as values, and what is stored."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from urllib.parse import parse_qsl, unquote
from xml.sax.saxutils import escape


@dataclass(frozen=True)
class Request:
    """One request; names of headers are in lower case."""

    method: str
    path: str
    """As it was sent: percent-encoded."""
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def bucket(self) -> str:
        """The first name of the path."""
        return unquote(self.path.removeprefix("/").partition("/")[0])

    @property
    def key(self) -> str:
        """The rest of it; empty for requests of the bucket itself."""
        return unquote(self.path.removeprefix("/").partition("/")[2])


@dataclass(frozen=True)
class Answer:
    """A status, headers and a body."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class Refused(Exception):
    """A request that is answered by an error, as both services write them."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        body = xml("Error", xml("Code", code) + xml("Message", "Refused."))
        self.answer = Answer(status, {"Content-Type": "application/xml"}, body.encode())


@dataclass(frozen=True)
class Stored:
    """An object: its bytes, its ETag, and the headers that come back with it."""

    data: bytes
    etag: str
    headers: Mapping[str, str]
    modified: float = field(default_factory=time.time)

    def answer(self, request: Request) -> Answer:
        """What GET and HEAD say; a range if one is asked for."""
        headers = {
            **self.headers,
            "ETag": f'"{self.etag}"',
            "Last-Modified": formatdate(self.modified, usegmt=True),
            "Accept-Ranges": "bytes",
        }
        wanted = request.headers.get("range") or request.headers.get("x-ms-range")
        if wanted is None:
            return Answer(200, headers, self.data)
        first, _, last = wanted.removeprefix("bytes=").partition("-")
        start, end = int(first), min(int(last or len(self.data)), len(self.data) - 1)
        if start >= len(self.data):
            raise Refused(416, "InvalidRange")
        headers["Content-Range"] = f"bytes {start}-{end}/{len(self.data)}"
        return Answer(206, headers, self.data[start : end + 1])


def parse(method: str, target: str, headers: Iterable[tuple[str, str]], body: bytes) -> Request:
    """A request of what came in."""
    path, _, query = target.partition("?")
    pairs = dict(parse_qsl(query, keep_blank_values=True))
    return Request(method, path, pairs, {name.lower(): value for name, value in headers}, body)


def xml(tag: str, inner: str, *, is_text: bool | None = None) -> str:
    """An element; `inner` is XML where it begins with a tag, else text."""
    is_text = not inner.startswith("<") if is_text is None else is_text
    return f"<{tag}>{escape(inner) if is_text else inner}</{tag}>"
