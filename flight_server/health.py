"""Whether the service lives, and whether it should be given work.

Alive is whoever answers. Ready is a service that has started, is not draining, and whose
components all pass their checks.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from flight_server.errors import ServiceError

Check: TypeAlias = Callable[[], str]
"""Returns one sentence about a working component; raises when it does not work."""


class Phase(StrEnum):
    """Where the service is in its life; it only moves forward."""

    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"  # finishes what runs, takes nothing new


class Status(StrEnum):
    """The one word of a report."""

    STARTING = "starting"
    READY = "ready"
    UNHEALTHY = "unhealthy"  # started, and a component fails its check
    DRAINING = "draining"


@dataclass(frozen=True, slots=True)
class ComponentHealth:
    """What the check of one component found."""

    name: str
    ok: bool
    message: str


@dataclass(frozen=True, slots=True)
class HealthReport:
    """The state of the service at one moment."""

    phase: Phase
    components: tuple[ComponentHealth, ...]

    @property
    def status(self) -> Status:
        """The phase, except that a started service with a failing component is unhealthy."""
        if self.phase is Phase.READY and not all(component.ok for component in self.components):
            return Status.UNHEALTHY
        return Status(self.phase)

    @property
    def ready(self) -> bool:
        """Whether new work is welcome."""
        return self.status is Status.READY

    @property
    def reasons(self) -> list[str]:
        """Why the service is not ready, a sentence each; empty when it is."""
        failing = [f"{part.name}: {part.message}" for part in self.components if not part.ok]
        match self.phase:
            case Phase.STARTING:
                return ["the service is still starting", *failing]
            case Phase.DRAINING:
                return ["the service is shutting down", *failing]
            case Phase.READY:
                return failing

    def as_dict(self) -> dict[str, object]:
        """`{status, reasons, components: {name: {ok, message}}}`, ready for JSON."""
        components = {
            part.name: {"ok": part.ok, "message": part.message} for part in self.components
        }
        return {"status": self.status, "reasons": self.reasons, "components": components}


class Health:
    """The phase of the service and the checks of its components. Thread safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._phase = Phase.STARTING
        self._checks: dict[str, Check] = {}

    @property
    def phase(self) -> Phase:
        """Where the service is in its life."""
        return self._phase

    def add(self, name: str, check: Check) -> None:
        """Ask `check` in every report.

        It runs in the thread that asks and should answer within a second.

        Raises:
            ValueError: a component of that name is checked already.

        """
        with self._lock:
            if name in self._checks:
                raise ValueError(f"the component {name!r} has a check already")
            self._checks[name] = check

    def started(self) -> None:
        """Every door is open. Does nothing once the service is draining."""
        with self._lock:
            if self._phase is Phase.STARTING:
                self._phase = Phase.READY

    def draining(self) -> None:
        """The service is shutting down; there is no way back."""
        with self._lock:
            self._phase = Phase.DRAINING

    def report(self) -> HealthReport:
        """Run every check now; none while draining, when the answer is known and one may hang."""
        with self._lock:
            phase, checks = self._phase, tuple(self._checks.items())
        if phase is Phase.DRAINING:
            checks = ()
        return HealthReport(phase, tuple(_ask(name, check) for name, check in checks))


def _ask(name: str, check: Check) -> ComponentHealth:
    try:
        return ComponentHealth(name, ok=True, message=check())
    except ServiceError as error:
        return ComponentHealth(name, ok=False, message=error.message)
    except Exception as error:  # noqa: BLE001 - a check that breaks is a component that does not work
        # Foreign messages may hold paths and credentials: only their kind is shown.
        reason = error.strerror if isinstance(error, OSError) else None
        message = f"the check failed with {type(error).__name__}"
        return ComponentHealth(
            name, ok=False, message=f"{message}: {reason}" if reason else message
        )
