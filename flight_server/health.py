"""Whether the service lives, and whether it should be given work.

Alive is whoever answers. Ready is a service that has started, is not draining, and whose
components all pass their checks. A report is there within ANSWER_WITHIN whatever hangs: each check
is asked in a thread of its own, and one that gives no answer for long is one that fails.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final, TypeAlias

from flight_server.errors import ServiceError
from flight_server.inquiry import Inquiry

ANSWER_WITHIN: Final = timedelta(seconds=1)
"""How long a report waits for checks; whoever asks (a proxy, an orchestrator) has little time."""

PATIENCE: Final = timedelta(seconds=5)
"""How long a check may go on before its component counts as failing; its last answer holds until
then, so that a store that is slow for once turns no work away."""

Check: TypeAlias = Callable[[], str]
"""Returns one sentence about a working component; raises when it does not work."""

Listener: TypeAlias = Callable[["HealthReport"], None]


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
    since: datetime
    """When it was first found so."""

    def as_dict(self) -> dict[str, object]:
        """`{ok, message, since}`, ready for JSON; the time as RFC 3339."""
        since = f"{self.since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        return {"ok": self.ok, "message": self.message, "since": since}


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
        """`{status, reasons, components: {name: {ok, message, since}}}`, ready for JSON."""
        components = {part.name: part.as_dict() for part in self.components}
        return {"status": self.status, "reasons": self.reasons, "components": components}


class Health:
    """The phase of the service and the checks of its components. Thread safe."""

    def __init__(
        self,
        patience: timedelta = PATIENCE,
        *,
        answer_within: timedelta = ANSWER_WITHIN,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._patience = patience.total_seconds()
        self._answer_within = answer_within.total_seconds()
        self._clock = clock
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._phase = Phase.STARTING
        self._components: dict[str, _Component] = {}
        self._listener: Listener | None = None
        self._told = Status.STARTING

    @property
    def phase(self) -> Phase:
        """Where the service is in its life."""
        return self._phase

    def add(self, name: str, check: Check) -> None:
        """Ask `check` for every report, in a thread of its own, never twice at once.

        Raises:
            ValueError: a component of that name is checked already.

        """
        with self._lock:
            if name in self._components:
                raise ValueError(f"the component {name!r} has a check already")
            component = _Component(name, check, self._patience, self._clock, self._monotonic)
            self._components = {**self._components, name: component}

    def listen(self, listener: Listener) -> None:
        """Tell `listener` of every report whose status is another than that of the one before."""
        self._listener = listener

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
        """Run every check now; none while draining, when the answer is known."""
        if self._phase is not Phase.DRAINING:
            components = tuple(self._components.values())
            for component in components:
                component.ask()
            for component in components:
                component.wait(self._answer_within)
        report = self.known()
        self._tell(report)
        return report

    def known(self) -> HealthReport:
        """What was found last; nothing is asked."""
        with self._lock:
            phase, components = self._phase, self._components
        asked = () if phase is Phase.DRAINING else components.values()
        return HealthReport(phase, tuple(component.found() for component in asked))

    def _tell(self, report: HealthReport) -> None:
        with self._lock:
            changed, self._told = report.status is not self._told, report.status
        if changed and self._listener is not None:
            self._listener(report)


@dataclass(frozen=True, slots=True)
class _Finding:
    ok: bool
    message: str


class _Component:
    """The check of one component, and since when its answer is what it is. Thread safe."""

    def __init__(
        self,
        name: str,
        check: Check,
        patience: float,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float],
    ) -> None:
        self._name = name
        self._patience = patience
        self._clock = clock
        self._inquiry = Inquiry(lambda: _checked(check), monotonic)
        self._lock = threading.Lock()
        self._ok: bool | None = None
        self._since = clock()

    def ask(self) -> None:
        self._inquiry.begin()

    def wait(self, seconds: float) -> None:
        self._inquiry.wait(seconds)

    def found(self) -> ComponentHealth:
        """The last answer, unless the next one is overdue."""
        finding, waiting = self._inquiry.answer, self._inquiry.waiting
        if waiting > self._patience:
            finding = _Finding(ok=False, message=f"its check hangs; no answer for {waiting:.0f} s")
        elif finding is None:
            finding = _Finding(ok=False, message="its first check is not finished yet")
        with self._lock:
            if finding.ok is not self._ok:
                self._ok, self._since = finding.ok, self._clock()
            return ComponentHealth(self._name, finding.ok, finding.message, self._since)


def _checked(check: Check) -> _Finding:
    try:
        return _Finding(ok=True, message=check())
    except ServiceError as error:
        return _Finding(ok=False, message=error.message)
    except Exception as error:  # noqa: BLE001 - a check that breaks is a component that does not work
        # Foreign messages may hold paths and credentials: only their kind is shown.
        reason = error.strerror if isinstance(error, OSError) else None
        message = f"the check failed with {type(error).__name__}"
        return _Finding(ok=False, message=f"{message}: {reason}" if reason else message)
