"""HTTP servers in threads of their own, on sockets that were bound before anything starts.

Binding first finds a taken port before any work is recovered, and tells which port `0` became.
"""

import asyncio
import errno
import logging
import math
import os
import socket
import threading
from typing import Final

import uvicorn
from starlette.types import ASGIApp

_BACKLOG: Final = 1024
_STOP_MARGIN: Final = 5.0
"""Seconds that the server gets to cancel what was still open at its deadline."""


def _is_no_end_of_ours(record: logging.LogRecord) -> bool:
    """Whether it tells of more than a download that was cut off because the server stops."""
    return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))


# It shows such a download as an error inside, with its stack.
logging.getLogger("uvicorn.error").addFilter(_is_no_end_of_ours)


class DoorError(Exception):
    """A door cannot be opened; the message names its configuration key."""


def bind(host: str, port: int, key: str) -> socket.socket:
    """A listening TCP socket of `host` (a name, IPv4 or IPv6); `port` 0 takes a free one.

    It listens already, so that a second process is refused here; connections wait until a
    server takes them. `::` takes IPv4 as well where the system can.

    Raises:
        DoorError: the port is taken or not allowed, or the host is not an address of this
            machine. `key` is the configuration key that the message names.

    """
    try:
        family, address = _resolve(host, port)
        both = host == "::" and socket.has_dualstack_ipv6()
        return socket.create_server(address, family=family, backlog=_BACKLOG, dualstack_ipv6=both)
    except OSError as error:
        raise DoorError(f"{key}: port {port} of {host} {_reason(error)}") from error


def address_of(sock: socket.socket) -> tuple[str, int]:
    """The host and port that `sock` is bound to."""
    host, port = sock.getsockname()[:2]
    return str(host), int(port)


def _reason(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "is taken by another program"
    # create_server repeats the address in its text; the resolver has texts of its own.
    text = error.strerror if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
    return f"cannot be opened: {text}"


def _resolve(host: str, port: int) -> tuple[socket.AddressFamily, tuple[str, int]]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, _, _, _, address = found[0]
    return family, (str(address[0]), port)


class _Server(uvicorn.Server):
    """Tells a waiting thread that connections are being taken."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.settled = threading.Event()
        """Set when the server has started, or never will."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.settled.set()


class HttpDoor:
    """Serves `app` on `sock` from a thread named `name`; owns the socket from here on.

    Signals are left to the main thread, logs to the application.
    """

    def __init__(self, app: ASGIApp, sock: socket.socket, name: str) -> None:
        self.host, self.port = address_of(sock)
        self._socket = sock
        self._name = name
        self._failure: BaseException | None = None
        self._server = _Server(
            uvicorn.Config(
                app,
                lifespan="off",
                ws="none",
                loop="asyncio",
                access_log=False,
                log_config=None,
                log_level="warning",  # the server says itself that its doors are open
                proxy_headers=False,
                server_header=False,
            )
        )
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)

    def start(self) -> None:
        """Return once requests are answered. Raises DoorError when the server ends instead."""
        self._thread.start()
        self._server.settled.wait()
        if not self._server.started:
            raise DoorError(f"the {self._name} door could not be started") from self._failure

    def stop(self, timeout: float) -> bool:
        """Take no more connections, give open requests `timeout` seconds, then cancel them.

        Returns whether the thread has ended. May be called again, and without `start()`.
        """
        self._server.config.timeout_graceful_shutdown = math.ceil(timeout)
        self._server.should_exit = True
        if self._thread.ident is None:
            self._socket.close()
            return True
        self._thread.join(timeout + _STOP_MARGIN)
        return not self._thread.is_alive()

    def _serve(self) -> None:
        try:
            self._server.run([self._socket])
        except (Exception, SystemExit) as error:  # uvicorn exits when it cannot start
            if self._server.started:
                raise
            self._failure = error
        finally:
            self._socket.close()
            self._server.settled.set()
