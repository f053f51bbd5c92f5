"""A door in front of a port, whose connections can be broken as a network breaks them."""

import contextlib
import socket
import struct
import threading
from typing import Final

_RESET: Final = struct.pack("ii", 1, 0)
"""Close without the rest and without a farewell: the other side sees a reset."""


class Proxy:
    """Takes bytes to and fro between its own `port` and another one of this machine."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._door.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Break all connections that there are now."""
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                    connection.shutdown(socket.SHUT_RD)
                    connection.close()
            self._open.clear()

    def close(self) -> None:
        """Take no more connections."""
        self._door.close()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                near, _address = self._door.accept()
                far = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                return  # the door was closed
            for end in (near, far):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._open |= {near, far}
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=(source, sink), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        with self._lock:
            self._open.discard(source)
