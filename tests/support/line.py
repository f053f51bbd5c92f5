"""A line to an HTTP server on which things go wrong, as a script says: a proxy on loopback."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


class Trouble(StrEnum):
    """What can go wrong with one request."""

    REFUSED = "500 before the server has heard of it"
    BUSY = "503 after the server has done it"
    RESET_BEFORE = "the connection is reset before the server has heard of it"
    RESET_AFTER = "the connection is reset after the server has done it"
    CUT = "half of the answer arrives"
    FLIP = "a bit of the body is another one"
    HANG_BEFORE = "silence; the server has not heard of it"
    HANG_AFTER = "silence after the server has done it"
    DENIED = "403, whatever the server would say"


@dataclass
class Fault:
    """What befalls the next `times` requests of an operation; None: all of them."""

    trouble: Trouble
    operation: str | None = None
    """As `operation_of` names it; None: any."""
    times: int | None = 1
    skip: int = 0
    """So many requests go well before."""

    def takes(self, operation: str) -> bool:
        """Whether it befalls this request, which counts."""
        if self.operation not in {None, operation} or self.times == 0:
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True


def operation_of(method: str, path: str) -> str:
    """The S3 operation of a request."""
    query = parse_qs(urlsplit(path).query, keep_blank_values=True)
    match method:
        case "POST" if "delete" in query:
            return "DeleteObjects"
        case "POST":
            return "CreateMultipartUpload" if "uploads" in query else "CompleteMultipartUpload"
        case "PUT":
            return "UploadPart" if "partNumber" in query else "PutObject"
        case "GET":
            return "ListMultipartUploads" if "uploads" in query else "GetObject"
        case "DELETE":
            return "AbortMultipartUpload" if "uploadId" in query else "DeleteObject"
        case _:
            return "HeadObject"


@dataclass
class Line:
    """A proxy that runs."""

    endpoint: str
    upstream: tuple[str, int]
    asked: list[str] = field(default_factory=list)
    """The operations that went by, those that failed too."""
    faults: list[Fault] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    released: threading.Event = field(default_factory=threading.Event)

    def script(self, *faults: Fault) -> None:
        """Forget what was to go wrong, and let this go wrong instead."""
        self.released.set()
        with self.lock:
            self.faults = [Fault(f.trouble, f.operation, f.times, f.skip) for f in faults]
            self.released = threading.Event()

    def trouble(self, operation: str) -> Trouble | None:
        with self.lock:
            self.asked.append(operation)
            return next((f.trouble for f in self.faults if f.takes(operation)), None)


@contextmanager
def line_to(endpoint: str) -> Iterator[Line]:
    """A line to the server at `endpoint`."""
    host = urlsplit(endpoint)
    assert host.hostname is not None
    assert host.port is not None

    class Handler(_Handler):
        pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        started = Line(f"http://127.0.0.1:{server.server_address[1]}", (host.hostname, host.port))
        Handler.line = started
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield started
        finally:
            started.released.set()
            server.shutdown()
            thread.join(20)


class _Handler(BaseHTTPRequestHandler):
    """Passes a request on, as it came in: the signature covers its host."""

    protocol_version = "HTTP/1.1"
    line: Line

    def handle(self) -> None:
        with suppress(ConnectionError):
            super().handle()

    def log_message(self, *_said: object) -> None:
        pass

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        released = self.line.released
        trouble = self.line.trouble(operation_of(self.command, self.path))
        match trouble:
            case Trouble.REFUSED:
                return self._answer(500, {}, b"")
            case Trouble.DENIED:
                return self._answer(403, {}, b"<Error><Code>AccessDenied</Code></Error>")
            case Trouble.RESET_BEFORE:
                return self._reset()
            case Trouble.HANG_BEFORE:
                released.wait(20)
                return self._reset()
            case Trouble.FLIP if body:
                body = bytes([body[0] ^ 1]) + body[1:]
        status, headers, content = self._ask(body)
        match trouble:
            case Trouble.BUSY:
                return self._answer(503, {}, b"")
            case Trouble.RESET_AFTER:
                return self._reset()
            case Trouble.HANG_AFTER:
                released.wait(20)
                return self._reset()
            case Trouble.CUT:
                self._answer(status, headers, content, half=True)
                return self._reset()
        return self._answer(status, headers, content)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _pass  # noqa: N815 - http.server's names

    def _ask(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        connection = HTTPConnection(*self.line.upstream, timeout=20)
        try:
            connection.putrequest(
                self.command, self.path, skip_host=True, skip_accept_encoding=True
            )
            for name, value in self.headers.items():
                if name.lower() not in {"connection", "expect"}:
                    connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, dict(answer.headers.items()), answer.read()
        except (OSError, HTTPException):
            return 502, {}, b""
        finally:
            connection.close()

    def _answer(
        self, status: int, headers: dict[str, str], content: bytes, *, half: bool = False
    ) -> None:
        self.send_response_only(status)
        length = headers.get("Content-Length", str(len(content)))
        for name, value in headers.items():
            if name.lower() not in {"content-length", "connection", "transfer-encoding"}:
                self.send_header(name, value)
        self.send_header("Content-Length", length if self.command == "HEAD" else str(len(content)))
        if half and not content:
            self.flush_headers()  # the headers do not end
            return
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content[: len(content) // 2] if half else content)

    def _reset(self) -> None:
        """End the connection so that the other side meets an error, and not an end."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
