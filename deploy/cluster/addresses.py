"""Ports on loopback that are free, and stay so while nobody listens on them."""

import random
import socket
from dataclasses import dataclass
from typing import Final

from deploy.cluster.settings import ClusterFailed, Ports

HOST: Final = "127.0.0.1"

_RANGE: Final = range(20_000, 30_000)
"""Below what Linux gives to outgoing connections (net.ipv4.ip_local_port_range, from 32768 on),
which would take the port of a replica that is about to come back."""

_ATTEMPTS: Final = 200


class FreePorts:
    """Hands out each port once."""

    def __init__(self) -> None:
        self._given: set[int] = set()

    def take(self) -> int:
        """A port on which nobody listens now. Raises ClusterFailed if there seem to be none."""
        for _ in range(_ATTEMPTS):
            port = random.choice(_RANGE)  # noqa: S311 - not a secret
            if port not in self._given and is_free(port):
                self._given.add(port)
                return port
        raise ClusterFailed(f"no port from {_RANGE.start} to {_RANGE.stop - 1} seems to be free")

    def take_or(self, asked: int, option: str) -> int:
        """The port that was asked for, or a free one for 0. Raises ClusterFailed if it is taken."""
        if asked == 0:
            return self.take()
        if not is_free(asked):
            raise ClusterFailed(
                f"{option} {asked}: another program listens there; 0 picks a free port"
            )
        return asked


@dataclass(frozen=True, slots=True)
class Doors:
    """The ports of a replica, the same in each of its lives."""

    flight: int
    grpc: int
    http: int
    ops: int

    @classmethod
    def free(cls, ports: FreePorts) -> "Doors":
        return cls(ports.take(), ports.take(), ports.take(), ports.take())


@dataclass(frozen=True, slots=True)
class Front:
    """The ports of the proxy."""

    flight: int
    grpc: int
    http: int
    status: int
    flight_balancer: int
    """Where nginx hands a call of Flight to HAProxy."""
    grpc_balancer: int

    @classmethod
    def chosen(cls, asked: Ports, ports: FreePorts) -> "Front":
        """Those that were asked for. Raises ClusterFailed if one is taken."""
        return cls(
            ports.take_or(asked.flight, "--flight-port"),
            ports.take_or(asked.grpc, "--grpc-port"),
            ports.take_or(asked.http, "--http-port"),
            ports.take(),
            ports.take(),
            ports.take(),
        )


def is_free(port: int) -> bool:
    """Whether one could listen on it now."""
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((HOST, port))
        except OSError:
            return False
    return True


def is_open(port: int) -> bool:
    """Whether somebody listens on it."""
    with socket.socket() as sock:
        return sock.connect_ex((HOST, port)) == 0


def at(port: int) -> str:
    """The address of a port, as proxies write it."""
    return f"{HOST}:{port}"
