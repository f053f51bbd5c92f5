"""One connection: HTTP/1.1 over a socket that faults can break at any byte."""

import hashlib
import socket
import struct
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from http import HTTPStatus
from typing import Protocol

from tests.support.oss.crc64 import crc64
from tests.support.oss.errors import OssError
from tests.support.oss.faults import Fault, FaultKind, Faults, Stopped, When
from tests.support.oss.messages import Answer, Asked, Headers, Request, http_date, parse_target

_CHUNK = 256 * 1024
_SLOW_CHUNK = 16 * 1024
_CRC = "x-oss-hash-crc64ecma"
_REFUSALS = {
    FaultKind.ACCESS_DENIED: "AccessDenied",
    FaultKind.EXPIRED_TOKEN: "SecurityTokenExpired",
    FaultKind.CLOCK_SKEW: "RequestTimeTooSkewed",
}


class Service(Protocol):
    """What a connection needs of the server."""

    faults: Faults
    latency: float

    def note(self, request: Request) -> Asked: ...
    def answer(self, request: Request, *, spoiled: bool) -> Answer: ...
    def forget_upload(self, upload_id: str) -> None: ...
    def pace(self, size: int, request: Request) -> None: ...
    def paced(self, request: Request) -> bool: ...
    def request_id(self) -> str: ...
    def now(self) -> float: ...


class _Reset(Exception):
    """The connection is to be reset."""


class Connection:
    """Requests in, answers out, one after the other, until somebody closes."""

    def __init__(self, sock: socket.socket, service: Service) -> None:
        self._sock = sock
        self._service = service
        self._reader = sock.makefile("rb", 64 * 1024)

    def serve(self) -> None:
        """Serve until it ends; it is closed then."""
        with suppress(OSError, Stopped):
            try:
                while self._serve_one():
                    pass
            except _Reset:
                linger = struct.pack("ii", 1, 0)  # closing sends RST
                self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self._reader.close()
        self._sock.close()

    def stop(self) -> None:
        """End what it does, from another thread."""
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)

    def _serve_one(self) -> bool:
        head = self._read_head()
        if head is None:
            return False
        started = time.monotonic()
        request = parse_target(*head)
        asked = self._service.note(request)
        faults = self._service.faults.take(asked)
        answer, unread = self._answer(request, faults)
        if self._service.latency:
            self._service.faults.wait(self._service.latency)
        keep = not unread and head[2].get("connection", "").lower() != "close"
        asked.status = answer.status
        raw = self._head(answer, request, keep=keep, spent=time.monotonic() - started)
        self._send(raw, answer, request, faults)
        for _ in unread or ():  # a client that still sends would never see the answer
            pass
        return keep and not _has(faults, FaultKind.TRUNCATED)

    def _answer(
        self, request: Request, faults: Sequence[Fault]
    ) -> tuple[Answer, Iterator[bytes] | None]:
        """The answer, and the body where it came before that was read."""
        unread = None
        try:
            body = self._body(request)
            answer = self._stage(When.BEFORE_BODY, request, faults)
            if answer is not None:
                unread = body
            else:
                answer = self._carry_out(self._receive(request, body), faults)
        except OssError as error:
            answer = self._refuse(error, request)
        answer.headers.setdefault("x-oss-request-id", self._service.request_id())
        return answer, unread

    def _carry_out(self, request: Request, faults: Sequence[Fault]) -> Answer:
        answer = self._stage(When.BEFORE_STORING, request, faults)
        if answer is not None:
            return answer
        for fault in faults:
            if fault.kind in _REFUSALS:
                raise OssError(_REFUSALS[fault.kind])
            if fault.kind is FaultKind.NO_SUCH_UPLOAD:
                self._service.forget_upload(request.query.get("uploadId", ""))
        try:
            answer = self._service.answer(request, spoiled=_has(faults, FaultKind.BIT_FLIP))
        except OssError as error:
            answer = self._refuse(error, request)
        if _has(faults, FaultKind.WRONG_CRC) and _CRC in answer.headers:
            answer.headers[_CRC] = str(int(answer.headers[_CRC]) ^ 1)
        if _has(faults, FaultKind.NO_CRC):
            answer.headers.pop(_CRC, None)
        return self._stage(When.AFTER_STORING, request, faults) or answer

    def _stage(self, when: When, request: Request, faults: Sequence[Fault]) -> Answer | None:
        """What goes wrong at that time; an answer is the last of it. Raises OssError."""
        for fault in faults:
            if fault.when is not when:
                continue
            match fault.kind:
                case FaultKind.RESET:
                    raise _Reset
                case FaultKind.HANG:
                    self._service.faults.hang(fault.seconds)
                case FaultKind.SLOW:
                    self._service.faults.wait(fault.seconds or 0)
                case FaultKind.STATUS:
                    return self._broken(fault, request)
        return None

    def _broken(self, fault: Fault, request: Request) -> Answer:
        if not fault.xml:
            return Answer(fault.status, {"Content-Type": "text/html"})
        answer = self._refuse(OssError(fault.error_code), request)
        answer.status = fault.status
        return answer

    def _refuse(self, error: OssError, request: Request) -> Answer:
        request_id, server_time = self._service.request_id(), http_date(self._service.now())
        answer = error.answer(
            request.method, request.headers.get("host", ""), request_id, server_time
        )
        answer.headers["x-oss-request-id"] = request_id
        return answer

    # In ----------------------------------------------------------------------------------------

    def _read_head(self) -> tuple[str, str, Headers] | None:
        words = self._reader.readline().split()
        if len(words) != 3:
            return None
        headers: dict[str, str] = {}
        while (line := self._reader.readline()).strip():
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.strip().lower()] = value.strip()
        return words[0].decode("latin-1"), words[1].decode("latin-1"), headers

    def _receive(self, request: Request, body: Iterator[bytes]) -> Request:
        """The request with its body; checksums are made while it arrives."""
        if request.headers.get("expect", "").lower() == "100-continue":
            self._sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        chunks, md5, crc = [], hashlib.md5(), 0
        for chunk in body:
            chunks.append(chunk)
            md5.update(chunk)
            crc = crc64(chunk, crc)
            self._service.pace(len(chunk), request)
        return replace(request, body=b"".join(chunks), md5=md5.digest(), crc64=crc)

    def _body(self, request: Request) -> Iterator[bytes]:
        size = _SLOW_CHUNK if self._service.paced(request) else _CHUNK
        if request.headers.get("transfer-encoding", "").lower() == "chunked":
            return self._chunked(size)
        length = request.headers.get("content-length", "")
        if not length.isdigit() and request.method in {"PUT", "POST"}:
            raise OssError("MissingContentLength")
        return self._exactly(int(length or 0), size)

    def _exactly(self, length: int, size: int) -> Iterator[bytes]:
        while length:
            chunk = self._reader.read(min(length, size))
            if not chunk:
                raise ConnectionError("the client left in the middle of a body")
            length -= len(chunk)
            yield chunk

    def _chunked(self, size: int) -> Iterator[bytes]:
        while length := int(self._reader.readline().partition(b";")[0] or b"0", 16):
            yield from self._exactly(length, size)
            self._reader.readline()
        while self._reader.readline().strip():
            pass

    # Out ---------------------------------------------------------------------------------------

    def _head(self, answer: Answer, request: Request, *, keep: bool, spent: float) -> bytes:
        headers = {
            "Server": "AliyunOSS",
            "Date": http_date(self._service.now()),
            "Connection": "keep-alive" if keep else "close",
            "x-oss-server-time": str(int(spent * 1000)),
        }
        if answer.status not in {204, 304}:
            headers["Content-Length"] = str(len(answer.body))
        lines = [f"{name}: {value}" for name, value in (headers | answer.headers).items()]
        return "\r\n".join(
            [f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}", *lines, "", ""]
        ).encode("latin-1")

    def _send(self, head: bytes, answer: Answer, request: Request, faults: Sequence[Fault]) -> None:
        bodiless = request.method == "HEAD" or answer.status in {204, 304}
        body = memoryview(b"" if bodiless else answer.body)
        if _has(faults, FaultKind.TRUNCATED):
            # Without a body the status line is cut: headers that are cut look like fewer headers.
            head, body = (head, body[: len(body) // 2]) if body else (head[:8], body)
        if not self._service.paced(request):
            self._sock.sendall(b"".join([head, body]) if len(body) < _CHUNK else head)
            body = body if len(body) >= _CHUNK else body[:0]
        else:
            self._sock.sendall(head)
        self._send_body(body, request)

    def _send_body(self, body: memoryview, request: Request) -> None:
        size = _SLOW_CHUNK if self._service.paced(request) else _CHUNK
        for start in range(0, len(body), size):
            self._service.pace(len(body[start : start + size]), request)
            self._sock.sendall(body[start : start + size])


def _has(faults: Sequence[Fault], kind: FaultKind) -> bool:
    return any(fault.kind is kind for fault in faults)
