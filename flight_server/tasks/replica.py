"""A process among those that share the state: its lease, and what it knows of the others.

Two things tell that another replica is dead:

- Its lock is free. A replica holds a lock on a file in the directory for spools as long as its
  process lives, which the operating system gives back however that ends. It tells at once, to who
  shares the directory: as a rule the same server, started again.
- Its lease is over. It tells after `lease`, to everybody. A database that nobody could reach for a
  while makes every lease look so: whoever has not renewed its own lately does not judge others by
  theirs until it has kept it fresh for as long as a lease lasts. Fresh is half of a lease: an
  outage in which the lease of one that is alive ends may be shorter than a lease, but by no more
  than a heartbeat, which is a third of one at the most.
"""

import os
import secrets
import socket
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Self

from flight_server.errors import ErrorCode, ServiceError, translate
from flight_server.tasks.locks import ProcessLock, directory_id
from flight_server.tasks.model import utc_now
from flight_server.tasks.replica_table import ReplicaRecord, ReplicaTable

ALONE_SECONDS: Final = 1.0
"""How long a look around holds: four looks of a heartbeat."""


class Replica:
    """One process, from `enter` to `leave`. Thread safe. Raises `ServiceError` as the table does.

    `directory` is the one for spools; `lease` how long the others wait for a sign of life.
    """

    def __init__(
        self,
        table: ReplicaTable,
        directory: Path,
        lease: timedelta,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.id: Final = secrets.token_hex(8)
        """Of this process: one that is started again is another replica."""
        self.spools = ""
        """The directory for spools, by the same name for all who share it; once entered."""
        self._table = table
        self._directory = directory.absolute()
        self._lock = ProcessLock(self._directory, self.id)
        self._lease = lease
        self._monotonic = monotonic
        self._clock = clock
        self._renewed_on = clock()  # what people are told; nothing is measured by it
        self._host = f"{socket.gethostname()}:{os.getpid()}"
        self._renewed_at = -float("inf")
        self._steady_since = float("inf")
        self._alone_at = -float("inf")
        self._entered_at = -float("inf")

    def __enter__(self) -> Self:
        self.enter()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.leave()

    def enter(self) -> None:
        """Begin to live: from now on tasks may be this replica's.

        Raises ServiceError STORAGE_ERROR or STORAGE_FULL also when the directory cannot be used.
        """
        try:
            self.spools = directory_id(self._directory)
            self._lock.take()
        except OSError as error:
            raise translate(error) from error
        self.renew()
        self._entered_at = self._monotonic()

    def leave(self) -> None:
        """Say that it is over; the others need not wait for the lease to end."""
        try:
            self._table.end(self.id)
        finally:
            self._lock.give_back()

    def renew(self) -> None:
        """Hold the lease for another while."""
        began, began_on = self._monotonic(), self._clock()
        self._table.renew(self.id, self._lease, host=self._host, spools=self.spools)
        if not self._is_fresh(began):
            self._steady_since = began
        self._renewed_at, self._renewed_on = began, began_on

    @property
    def heartbeat_age(self) -> float:
        """Seconds since the lease was renewed last."""
        return self._monotonic() - self._renewed_at

    def check(self) -> str:
        """One sentence about the lease that is held. Raises STORAGE_ERROR when it is over."""
        if self.heartbeat_age <= self._lease.total_seconds():
            return "the lease of this replica is held"
        message = (
            "the lease of this replica is over, and others may settle its exports: no heartbeat "
            f"has reached the state database since {self._renewed_on:%Y-%m-%dT%H:%M:%SZ}"
        )
        raise ServiceError(ErrorCode.STORAGE_ERROR, message)

    def hold(self) -> None:
        """Make sure of the lease before a task becomes this replica's.

        A process that was stopped for long would else have a task that the others take for a dead
        one's.
        """
        if not self._is_fresh(self._monotonic()):
            self.renew()

    @property
    def alone(self) -> bool:
        """Whether no other replica was alive at a look within the last `ALONE_SECONDS`.

        Then nobody else is asked for the tasks of this one, or to end them; see `be_seen`.
        """
        return self._monotonic() - self._alone_at <= ALONE_SECONDS

    def look_around(self) -> None:
        """See whether others are alive. Raises `ServiceError` as the table does."""
        began = self._monotonic()
        living, _ = self.others()
        self._alone_at = -float("inf") if living else began

    def be_seen(self) -> None:
        """Block until nobody takes itself for alone any more, before anybody is served here."""
        left = self._entered_at + ALONE_SECONDS - self._monotonic()
        if left > 0 and self.others()[0]:
            time.sleep(left)

    def others(self) -> tuple[list[ReplicaRecord], list[ReplicaRecord]]:
        """The other replicas: those that may be alive, and those that are dead for certain."""
        living: list[ReplicaRecord] = []
        dead: list[ReplicaRecord] = []
        for other in self._table.all():
            if other.replica_id != self.id:
                (living if self._may_live(other) else dead).append(other)
        return living, dead

    def _may_live(self, other: ReplicaRecord) -> bool:
        if other.gone:
            return False
        lock = ProcessLock(self._directory, other.replica_id)
        if lock.is_free():
            self._table.end(other.replica_id)
            lock.give_back()
            return False
        return other.left >= timedelta() or not self._is_steady()

    def _is_fresh(self, now: float) -> bool:
        return now - self._renewed_at <= self._lease.total_seconds() / 2

    def _is_steady(self) -> bool:
        """Whether others could have renewed their leases, as this one could."""
        now = self._monotonic()
        return self._is_fresh(now) and now - self._steady_since >= self._lease.total_seconds()
