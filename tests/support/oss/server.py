"""The server: sockets and threads around the bucket, and what a test sets and sees of it."""

import socket
import time
from contextlib import ExitStack
from itertools import count
from threading import Lock, Thread, current_thread
from typing import Self

from tests.support.oss.connection import Connection
from tests.support.oss.faults import Faults
from tests.support.oss.line import Line
from tests.support.oss.messages import Answer, Asked, Request
from tests.support.oss.operations import Region
from tests.support.oss.signatures import Credentials
from tests.support.oss.state import Bucket, StoredObject, Upload


class OssServer:
    """One bucket on 127.0.0.1, at a free port, while the context is open.

    What a test may change at any time: `latency` (seconds before each answer), `bandwidth` (bytes
    a second, of all connections together), `clock_offset` (seconds that its clock is ahead),
    `honour_traffic_limit`, `credentials` (by access key id), `bucket.exists`,
    `bucket.public_read`, `bucket.max_put_size`, `bucket.min_part_size`, and `faults`.
    """

    def __init__(
        self,
        bucket: str = "exports",
        region: str = "cn-hangzhou",
        access_key_id: str = "test-id",
        access_key_secret: str = "test-secret",
        *,
        security_token: str | None = None,
        bucket_exists: bool = True,
        public_read: bool = False,
        read_only: bool = False,
    ) -> None:
        self.bucket = Bucket(bucket)
        self.bucket.exists = bucket_exists
        self.bucket.public_read = public_read
        self.region = region
        key = Credentials(access_key_id, access_key_secret, security_token, read_only=read_only)
        self.credentials = {access_key_id: key}
        self.faults = Faults()
        self.requests: list[Asked] = []
        self.latency = 0.0
        self.bandwidth: float | None = None
        self.clock_offset = 0.0
        self.honour_traffic_limit = False
        self.connections_accepted = 0
        self.closing = ExitStack()  # what ends with the server: its clients, for example
        self._port = 0
        self._listener: socket.socket | None = None
        self._threads: dict[Thread, Connection | None] = {}
        self._lock = Lock()
        self._request_ids = count(int(time.time()) << 32)
        self._line = Line()

    def __enter__(self) -> Self:
        self.bucket.created = self.now()
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.close()
        self.stop()

    @property
    def endpoint(self) -> str:
        """The address, for `oss2.Bucket`."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def objects(self) -> dict[str, StoredObject]:
        """The objects, by key."""
        return self.bucket.objects

    @property
    def uploads(self) -> dict[str, Upload]:
        """The uploads that are open, by id."""
        return self.bucket.uploads

    def asked(self, operation: str) -> list[Asked]:
        """The requests of one operation, in order."""
        return [each for each in self.requests if each.operation == operation]

    def start(self) -> None:
        """Listen, at the port that it had before, if any."""
        self.faults.reopen()
        self._listener = listener = socket.create_server(("127.0.0.1", self._port), backlog=128)
        self._port = listener.getsockname()[1]
        self._run(Thread(target=self._accept, args=(listener,), name="oss-accept"), None)

    def stop(self) -> None:
        """Close the port and every connection; all threads have ended. What is stored stays."""
        listener, self._listener = self._listener, None
        if listener is None:
            return
        self.faults.close()
        listener.shutdown(socket.SHUT_RDWR)  # wakes accept
        with self._lock:
            threads = dict(self._threads)
        for thread, connection in threads.items():
            if connection is not None:
                connection.stop()
            thread.join()
        for thread in list(self._threads):  # accepted meanwhile
            if (late := self._threads.get(thread)) is not None:
                late.stop()
            thread.join()
        listener.close()

    def restart(self, *, forget_uploads: bool = False) -> None:
        """Stop and start at the same port; uploads in parts are lost where that is asked for."""
        self.stop()
        if forget_uploads:
            self.uploads.clear()
        self.start()

    # What connections need ---------------------------------------------------------------------

    def now(self) -> float:
        """The server's time, in seconds since 1970."""
        return time.time() + self.clock_offset

    def request_id(self) -> str:
        """An id of its own for each answer."""
        return f"{next(self._request_ids):024X}"

    def note(self, request: Request) -> Asked:
        """Write the request down."""
        asked = Asked(
            request.operation, request.method, request.key, request.query, request.headers
        )
        self.requests.append(asked)
        return asked

    def answer(self, request: Request, *, spoiled: bool) -> Answer:
        """Carry it out. Raises OssError."""
        region = Region(self.region, self.bucket, self.credentials)
        return region.answer(request, self.now(), spoiled=spoiled)

    def forget_upload(self, upload_id: str) -> None:
        """As if a lifecycle rule had aborted it."""
        with self.bucket.lock:
            self.uploads.pop(upload_id, None)

    def paced(self, request: Request) -> bool:
        """Whether its bytes are slow."""
        return self.bandwidth is not None or self._traffic_limit(request) is not None

    def pace(self, size: int, request: Request) -> None:
        """Wait until so many bytes may have passed. Raises Stopped."""
        if (limit := self._traffic_limit(request)) is not None:
            self.faults.wait(size / limit)
        if self.bandwidth is not None:
            self.faults.wait(self._line.delay(size, self.bandwidth))

    def _traffic_limit(self, request: Request) -> float | None:
        """Bytes a second; the request says bits."""
        name = "x-oss-traffic-limit"
        said = request.headers.get(name) or request.query.get(name, "")
        return int(said) / 8 if self.honour_traffic_limit and said.isdigit() else None

    # Threads -----------------------------------------------------------------------------------

    def _run(self, thread: Thread, connection: Connection | None) -> None:
        with self._lock:
            self._threads[thread] = connection
            thread.start()  # within the lock: who finds it can join it

    def _accept(self, listener: socket.socket) -> None:
        try:
            while True:
                sock, _ = listener.accept()
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.connections_accepted += 1
                connection = Connection(sock, self)
                self._run(Thread(target=self._serve, args=(connection,), name="oss"), connection)
        except OSError:
            return  # the listener is shut down
        finally:
            self._ended()

    def _serve(self, connection: Connection) -> None:
        try:
            connection.serve()
        finally:
            self._ended()

    def _ended(self) -> None:
        with self._lock:
            self._threads.pop(current_thread(), None)
