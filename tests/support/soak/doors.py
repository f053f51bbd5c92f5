"""The doors of one server, asked by one thread; every answer goes into the journal."""

import json
import time
from contextlib import ExitStack
from typing import Any, Self

import httpx
import pyarrow as pa
from pyarrow import flight

from tests.support.soak.fleet import Reached
from tests.support.soak.journal import Journal, Sighting

QUESTION = flight.FlightCallOptions(timeout=30)

BROKEN = (flight.FlightError, pa.ArrowException, OSError, httpx.HTTPError)
"""What a call may end with when its server dies."""

_HARMLESS = (
    None,
    "ALREADY_EXISTS",
    "CANCELLED",
    "INCOMPLETE_STREAM",
    "INTERRUPTED",
    "SHUTTING_DOWN",
)
"""Codes that a call may end with while servers come and go; None where nobody answered."""


def is_harmless(error: Exception) -> bool:
    """Whether a call may end so: it may break, but an answer has to be one that belongs here."""
    return code_of(error) in _HARMLESS and not isinstance(error, httpx.HTTPStatusError)


def code_of(error: Exception) -> str | None:
    """The code that the server gave; None where it gave none, as a dead one."""
    return info_of(error).get("code")


def info_of(error: Exception) -> dict[str, Any]:
    """What the server says of its error beside the message."""
    extra = getattr(error, "extra_info", b"")
    try:
        info: dict[str, Any] = json.loads(extra)
    except ValueError:
        return {}
    return info


class Doors:
    """Clients of one server's doors. Used as a context manager."""

    def __init__(self, reached: Reached, journal: Journal) -> None:
        self._reached = reached
        self._journal = journal
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self.flight = self._stack.enter_context(flight.FlightClient(self._reached.flight))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def status(self, **body: str) -> Sighting | None:
        """The task of a `task_id` or `request_id` over Flight; None if there is none."""
        known = self._is_known(**body)
        asked = time.monotonic()
        try:
            [task] = self._act("status", body)
        except flight.FlightError as error:
            if code_of(error) != "TASK_NOT_FOUND":
                raise
            if known:
                self._journal.accuse(*body.values(), "it was known, and is unknown now")
            return None
        return self._journal.saw(task, "status", asked)

    def cancel(self, task_id: str) -> Sighting:
        """Ask for the end of the task; as it is then."""
        self._journal.cancelled.add(task_id)
        self._journal.note(task_id, "cancel is asked for")
        self._journal.happened("cancelling")
        asked = time.monotonic()
        [task] = self._act("cancel", {"task_id": task_id})
        return self._journal.saw(task, "cancel", asked)

    def listed(self, **body: object) -> list[Sighting]:
        """A page of tasks over Flight."""
        asked = time.monotonic()
        return [self._journal.saw(task, "list", asked) for task in self._act("list", body)]

    def everything(self) -> list[Sighting]:
        """Every task there is, page by page."""
        found: list[Sighting] = []
        while page := self.listed(limit=500, **({"after": found[-1].task_id} if found else {})):
            found += page
        return found

    def page(self, task_id: str) -> Sighting | None:
        """A task that was seen before, over HTTP; None if there is none."""
        asked = time.monotonic()
        answer = httpx.get(f"{self._reached.http}/api/tasks/{task_id}", timeout=30)
        if answer.status_code == httpx.codes.NOT_FOUND:
            self._journal.accuse(task_id, "it was known, and is unknown over HTTP now")
            return None
        return self._journal.saw(answer.raise_for_status().json(), "http", asked)

    def pages(self) -> list[Sighting]:
        """The newest tasks over HTTP."""
        asked = time.monotonic()
        answer = httpx.get(f"{self._reached.http}/api/tasks?limit=20", timeout=30)
        tasks = answer.raise_for_status().json()["tasks"]
        return [self._journal.saw(task, "http list", asked) for task in tasks]

    def file(self, task_id: str) -> bytes:
        """The file, by a link that is signed now."""
        [signed] = self._act("url", {"task_id": task_id})
        return httpx.get(signed["url"], timeout=60).raise_for_status().content

    def _is_known(self, task_id: str = "", request_id: str = "") -> bool:
        return task_id in self._journal.sightings or bool(self._journal.tasks.get(request_id))

    def _act(self, name: str, body: dict[str, Any]) -> list[dict[str, Any]]:
        action = flight.Action(name, json.dumps(body).encode())
        answers = self.flight.do_action(action, QUESTION)
        return [json.loads(each.body.to_pybytes()) for each in answers]
