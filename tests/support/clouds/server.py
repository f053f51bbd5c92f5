"""Sockets and threads around one bucket, and what a test sees of it."""

import socket
from abc import ABC, abstractmethod
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any, Self

from tests.support.clouds.messages import Answer, Refused, Request, Stored, parse

BUCKET = "exports"


class CloudServer(ABC):
    """One bucket on 127.0.0.1, at a free port, while the context is open.

    `requests` holds what was asked, in order; `parts` the pieces of uploads that nobody ended.
    """

    def __init__(self) -> None:
        self.objects: dict[str, Stored] = {}
        self.parts: dict[str, dict[str, bytes]] = {}
        self.requests: list[Request] = []
        self._lock = Lock()

    def __enter__(self) -> Self:
        self._server = _Server(self)
        self._thread = Thread(target=self._server.serve_forever, args=(0.01,), name="cloud")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.end()

    @property
    def endpoint(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def answer(self, request: Request) -> Answer:
        """Carry a request out, or refuse it."""
        with self._lock:
            self.requests.append(request)
            try:
                self.authenticate(request)
                return self.perform(request)
            except Refused as refused:
                return refused.answer

    @abstractmethod
    def authenticate(self, request: Request) -> None:
        """Verify what the request is signed with. Raises Refused."""

    @abstractmethod
    def perform(self, request: Request) -> Answer:
        """Do it. Raises Refused."""

    def stored(self, request: Request, code: str) -> Stored:
        """The object that is asked for. Raises Refused, as `code`."""
        if request.key not in self.objects:
            raise Refused(404, code)
        return self.objects[request.key]


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # `server_close` waits for them

    def __init__(self, cloud: CloudServer) -> None:
        self.cloud = cloud
        self.sockets: list[socket.socket] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        accepted = super().get_request()
        self.sockets.append(accepted[0])
        return accepted

    def end(self) -> None:
        """Close every connection, also those that clients keep for later."""
        for each in self.sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, *_: object) -> None:
        """Say nothing: the test does."""

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        answer = self.server.cloud.answer(
            parse(self.command, self.path, self.headers.items(), body)
        )
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _serve  # noqa: N815 - as it must be
