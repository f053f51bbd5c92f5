"""One call that sends an export, in the manner of its plan."""

import json
import time
from threading import Event
from typing import Any

from pyarrow import flight

from tests.support.exports import SCHEMA
from tests.support.soak.content import batch
from tests.support.soak.doors import BROKEN, Doors, info_of, is_harmless
from tests.support.soak.fleet import Reached
from tests.support.soak.journal import Journal
from tests.support.soak.plans import Manner, Plan

LONGEST = 120.0
"""Seconds; no call takes so long, however busy the machine is."""

NO_END_OF_A_TASK = ("ALREADY_EXISTS", "REQUEST_ID_CONFLICT")


class Sending:
    """An export's call. Whatever the server says goes into the journal.

    A cancel is asked of the server `elsewhere`, which may be the same.
    """

    def __init__(
        self, plan: Plan, doors: Doors, elsewhere: Reached, journal: Journal, *, first: bool
    ) -> None:
        self.task_id = ""
        """Once accepted."""
        self._plan = plan
        self._doors = doors
        self._elsewhere = elsewhere
        self._journal = journal
        self._first = first
        leaves = first and plan.manner is Manner.LEAVING
        self._timeout = plan.leaves_after if leaves else LONGEST
        self._pause = Event()  # nobody sets it: it is a pause that costs nothing

    def run(self) -> None:
        """Send everything and read every answer. Raises what the call ends with."""
        self._asked = time.monotonic()
        descriptor = flight.FlightDescriptor.for_command(json.dumps(self._plan.command).encode())
        options = flight.FlightCallOptions(timeout=self._timeout)
        self._writer, self._reader = self._doors.flight.do_put(descriptor, SCHEMA, options)
        try:
            if self._answer() == "accepted":
                self._send()
            while self._answer():
                pass
            self._writer.close()
        except BROKEN as error:
            self._ended(self._told(error))
            raise
        finally:
            del self._writer, self._reader

    def _send(self) -> None:
        """Send the batches and the commit; or, to break off, a part of them."""
        plan = self._plan
        for number, (first, rows) in enumerate(plan.cuts()):
            if number:
                self._pause.wait(plan.pause)
            if number == plan.turn and not self._goes_on():
                break
            self._writer.write_batch(batch(first, rows))
        else:
            self._commit()
        self._writer.done_writing()
        self._journal.note(self.task_id, "the client has sent what it had")
        self._journal.happened("committed")
        if plan.turn == plan.batches:
            self._goes_on()

    def _commit(self) -> None:
        if self._plan.manner is not Manner.DECLARING:
            commit = {"commit": True, "rows": self._plan.rows}
            self._writer.write_metadata(json.dumps(commit).encode())

    def _goes_on(self) -> bool:
        """Do what this manner does in the middle; False if the stream ends here."""
        if self._plan.manner is Manner.CANCELLING:
            self._cancel()
        if self._first and self._plan.manner is Manner.BREAKING_OFF:
            self._journal.dropped.add(self.task_id)
            return False
        return True

    def _cancel(self) -> None:
        """Ask for it, and whether everybody knows; if that server is gone, the export goes on."""
        try:
            with Doors(self._elsewhere, self._journal) as doors:
                doors.cancel(self.task_id)
            self._doors.status(task_id=self.task_id)
        except BROKEN as error:
            if not is_harmless(error):
                self._journal.accuse(self.task_id, f"a cancel was answered with {error!s:.200}")

    def _answer(self) -> str | None:
        """Read one PutResult; its type, or None after the last one."""
        buffer = self._reader.read()
        if buffer is None:
            return None
        said: dict[str, Any] = json.loads(buffer.to_pybytes())
        kind = str(said["type"])
        if kind == "progress":
            return kind
        self.task_id = str(said["task_id"])
        self._journal.saw({"request_id": self._plan.request_id} | said, f"put {kind}", self._asked)
        self._journal.happened(kind)
        return kind

    def _told(self, error: Exception) -> Exception:
        """What the call ended with: only closing tells, where reading or writing failed."""
        try:
            self._writer.close()
        except BROKEN as told:
            return told
        return error

    def _ended(self, error: Exception) -> None:
        if isinstance(error, flight.FlightTimedOutError) and self._timeout < LONGEST:
            self._journal.dropped.add(self.task_id)
        info = info_of(error)
        code, task_id = info.get("code"), info.get("task_id")
        said = f"the call ends with {code or type(error).__name__}: {error!s:.90}"
        self._journal.note(self.task_id or self._plan.request_id, said)
        if code and task_id and code not in NO_END_OF_A_TASK:
            state = "CANCELLED" if code == "CANCELLED" else "FAILED"
            task = {"task_id": task_id, "state": state, "request_id": self._plan.request_id}
            failure = None if state == "CANCELLED" else info
            self._journal.saw(task | {"error": failure}, "put error", self._asked)
