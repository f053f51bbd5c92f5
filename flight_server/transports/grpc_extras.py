"""What gRPC's own tools expect of a server besides its service: health and reflection.

Both are gRPC's servicers. Only their threads are minded: a call of reflection holds one for as
long as its client likes, so that few may be open at once; watching the health holds none.
"""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, Final

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2_grpc

REFLECTIONS: Final = 4
"""Calls of reflection at once."""

Ready = Callable[[], bool]

_STATUSES: Final = {
    True: health_pb2.HealthCheckResponse.SERVING,
    False: health_pb2.HealthCheckResponse.NOT_SERVING,
}


class LiveHealth(health.HealthServicer):
    """`grpc.health.v1`: the server as a whole, and each of `services`, as `ready` says.

    `Check` looks when it is asked, `Watch` tells of what a look has found: at every `Check`, and
    every `interval` between `start` and `stop`.
    """

    def __init__(self, ready: Ready, services: tuple[str, ...], interval: timedelta) -> None:
        super().__init__()
        self._ready = ready
        self._services = ("", *services)
        self._interval = interval.total_seconds()
        self._stopping = threading.Event()
        self._watchers: set[Callable[[Any], object]] = set()
        self.look()

    def Check(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
        """One answer, true now."""
        self.look()
        return super().Check(request, context)

    def Watch(  # noqa: N802
        self,
        request: Any,
        context: grpc.ServicerContext,
        send_response_callback: Callable[[Any], object],
    ) -> Any:
        """Tells of changes until its client leaves, or the server closes."""
        self._watchers.add(send_response_callback)
        context.add_callback(lambda: self._watchers.discard(send_response_callback))
        return super().Watch(request, context, send_response_callback)

    def look(self) -> None:
        """Ask, and tell those who watch."""
        status = _STATUSES[self._ready()]
        for service in self._services:
            self.set(service, status)

    def start(self) -> None:
        """Look again and again, in a thread."""
        threading.Thread(target=self._run, name="grpc-health", daemon=True).start()

    def stop(self) -> None:
        """Look no more, and end the calls of those who watch: they last as long as the server."""
        self._stopping.set()
        for send in tuple(self._watchers):
            send(None)

    def _run(self) -> None:
        while not self._stopping.wait(self._interval):
            self.look()


class FewReflections(reflection.ReflectionServicer):
    """`grpc.reflection.v1alpha` for `REFLECTIONS` clients at once."""

    def __init__(self, services: tuple[str, ...]) -> None:
        super().__init__(services)
        self._free = threading.BoundedSemaphore(REFLECTIONS)

    def ServerReflectionInfo(  # noqa: N802
        self, request_iterator: Iterator[Any], context: grpc.ServicerContext
    ) -> Iterator[Any]:
        """Answers while its client asks."""
        if not self._free.acquire(blocking=False):
            text = f"{REFLECTIONS} clients use reflection already, which is as many as may"
            context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, text)
        try:
            yield from super().ServerReflectionInfo(request_iterator, context)
        finally:
            self._free.release()


def add_extras(server: grpc.Server, service: str, ready: Ready, interval: timedelta) -> LiveHealth:
    """Serve health and reflection of `service` at `server`; the health, which is to be started."""
    live = LiveHealth(ready, (service,), interval)
    health_pb2_grpc.add_HealthServicer_to_server(live, server)
    names = (service, health.SERVICE_NAME, reflection.SERVICE_NAME)
    reflection_pb2_grpc.add_ServerReflectionServicer_to_server(FewReflections(names), server)
    return live
