"""The part of a process among the replicas that share its state, from its start to its end."""

from contextlib import ExitStack
from types import TracebackType
from typing import Final, Self

from flight_server.config import Config
from flight_server.errors import ServiceError
from flight_server.logs import Event, get_logger
from flight_server.metrics import Metrics
from flight_server.recovery import Recovery
from flight_server.storage.base import Remote, Storage
from flight_server.tasks.heartbeat import Heartbeat
from flight_server.tasks.manager import TaskManager
from flight_server.tasks.orphans import Orphans
from flight_server.tasks.replica import Replica
from flight_server.tasks.replica_table import ReplicaTable
from flight_server.tasks.store import TaskStore
from flight_server.together import together

LEAVE_SECONDS: Final = 2.0
"""A database that hangs must not keep the process from ending."""

_log = get_logger("replica")


class Membership:
    """Entered, this process is a replica that lives; left, it has said that it is gone.

    Entering raises ServiceError when the state database or the directory for spools fails.
    """

    def __init__(self, config: Config, store: TaskStore) -> None:
        self._config = config
        self._store = store
        self._table = ReplicaTable(store.database)
        self.replica: Final = Replica(
            self._table, config.storage.temp_directory, config.state.lease_timeout
        )
        """Whose the tasks of this process are."""
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._stack.enter_context(self.replica)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        together([self._leave], LEAVE_SECONDS)

    def _leave(self) -> None:
        try:
            self._stack.close()
        except ServiceError as error:  # the others find out when the lease is over
            _stumbled(error)

    def live(self, manager: TaskManager | None = None) -> None:
        """Give signs of life from now on, and look after the tasks of `manager`; once."""
        interval = self._config.state.heartbeat_interval
        heartbeat = Heartbeat(self.replica, self._table, manager, interval, on_error=_stumbled)
        heartbeat.start()
        self._stack.callback(heartbeat.stop)

    def settle(self, manager: TaskManager, storage: Storage, metrics: Metrics) -> None:
        """Settle what dead replicas have left, now and from now on; once. Call before any door."""
        config = self._config
        recovery = Recovery(
            Orphans(self._store, self._table, self.replica, config.state.recovery_timeout),
            self._store,
            storage,
            config.storage.temp_directory,
            metrics,
            busy=lambda: {running.task.task_id for running in manager.running},
            interval=config.state.heartbeat_interval,
        )
        # Where it means to send gigabytes, no door is kept shut until that is done.
        recovery.start(now=not isinstance(storage, Remote))
        self._stack.callback(recovery.stop)
        self.replica.be_seen()


def _stumbled(error: Exception) -> None:
    message = "the state cannot be shared with other replicas now"
    _log.error(Event.SystemError, message, error=error)
