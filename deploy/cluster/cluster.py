"""Database, replicas and proxy: started together, watched, stopped with the proxy last."""

import json
import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Final, Self

from deploy.cluster.addresses import Doors, FreePorts, Front, at
from deploy.cluster.database import postgres
from deploy.cluster.lock import locked
from deploy.cluster.proxy import Proxy
from deploy.cluster.replica import Replica
from deploy.cluster.settings import ClusterFailed, Settings

NAMES: Final = ("a", "b")
"""Of the replicas, as haproxy.cfg has them."""

START_SECONDS: Final = 60.0

DRAIN_SECONDS: Final = 60.0
"""For exports that still run when the cluster is stopped; more than `server.shutdown_grace`."""

STOP_SECONDS: Final = 10.0

_LOOK_SECONDS: Final = 0.05

Say = Callable[[str], None]


class Cluster:
    """A cluster on this machine: entered, all of it is ready; left, all of it has stopped.

    Entering raises ClusterFailed, with what to do.
    """

    front: Front
    proxy: Proxy

    def __init__(self, settings: Settings, say: Say) -> None:
        self.replicas: list[Replica] = []
        self._settings = settings
        self._say = say
        self._stack = ExitStack()
        self._starting: set[Replica] = set()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._start(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    def watch(self) -> None:
        """Tell of replicas that end and start them again, until interrupted.

        Raises ClusterFailed when the proxy ends.
        """
        while True:
            self.proxy.check()
            for replica in self.replicas:
                self._look_at(replica)
            time.sleep(_LOOK_SECONDS)

    def hurry(self) -> None:
        """While it is left: end the exports that are waited for."""
        for replica in self.replicas:
            replica.terminate()

    def _start(self, stack: ExitStack) -> None:
        settings = self._settings
        directory = settings.directory
        lock = stack.enter_context(locked(directory, settings.ready_file))
        stack.callback(settings.ready_file.unlink, missing_ok=True)
        free = FreePorts()
        self.front = Front.chosen(settings.ports, free)
        doors = {name: Doors.free(free) for name in NAMES}
        self.proxy = Proxy(self.front, doors, directory / "proxy", lock)
        stack.callback(self.proxy.stop, STOP_SECONDS)
        state_url = settings.state_url or stack.enter_context(postgres(directory / "postgres"))
        self.replicas += [
            Replica(name, doors[name], directory / name, lock, self._overrides(name), state_url)
            for name in NAMES
        ]
        stack.callback(self._stop_replicas)
        self._start_all()

    def _start_all(self) -> None:
        for replica in self.replicas:
            replica.start()
        _wait(self._replicas_are_ready)
        self.proxy.start()
        _wait(self.proxy.is_ready)
        self._write_ready_file()

    def _replicas_are_ready(self) -> bool:
        for replica in self.replicas:
            replica.check()
        return all(replica.is_ready() for replica in self.replicas)

    def _overrides(self, name: str) -> list[str]:
        directory = self._settings.directory
        owner = directory / name if self._settings.separate_spools else directory
        return [
            *self._settings.overrides,
            f"storage.temp_directory={owner / 'spool'}",
            f"storage.local.directory={directory / 'files'}",
            f"storage.local.public_url=http://{at(self.front.http)}",
        ]

    def _look_at(self, replica: Replica) -> None:
        ended = replica.ended()
        if ended is not None:
            self._starting.discard(replica)
            again = "; it starts again in a moment" if self._settings.restart else ""
            self._say(f"replica {replica.name} has ended {ended}{again}")
            self._write_ready_file()
        elif replica in self._starting:
            if replica.is_ready():
                self._starting.remove(replica)
                self._say(f"replica {replica.name} is back, process {replica.pid}")
                self._write_ready_file()
        elif self._settings.restart and replica.is_due:
            replica.start()
            self._starting.add(replica)

    def _write_ready_file(self) -> None:
        """Write it whole or not at all."""
        path = self._settings.ready_file
        told = {
            "pid": os.getpid(),
            "proxy": self.proxy.as_dict(),
            "replicas": [replica.as_dict() for replica in self.replicas],
        }
        partial = path.with_name(f".{path.name}.{os.getpid()}")
        partial.write_text(json.dumps(told, indent=2) + "\n")
        partial.replace(path)

    def _stop_replicas(self) -> None:
        """Let them finish their exports, through the proxy."""
        for replica in self.replicas:
            replica.terminate()
        for replica in self.replicas:
            replica.stop(DRAIN_SECONDS)


def _wait(look: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not look():
        if time.monotonic() > deadline:
            raise ClusterFailed(f"the cluster is not ready after {START_SECONDS:g} s; see its logs")
        time.sleep(_LOOK_SECONDS)
