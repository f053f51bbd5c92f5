"""A client that wants its exports done, whatever happens to the server meanwhile."""

import hashlib
import time
from random import Random
from threading import Event, Thread

from tests.support.soak.content import is_right
from tests.support.soak.doors import BROKEN, Doors, is_harmless
from tests.support.soak.fleet import Down, Fleet
from tests.support.soak.journal import Journal, Sighting
from tests.support.soak.plans import Manner, Plan, plans
from tests.support.soak.sending import Sending

PAUSE = 0.05
"""Seconds between two questions about a task, or for a server that is not there."""


class Client:
    """Takes one plan after the other, in a thread, until it is told to close."""

    def __init__(
        self, seed: str, name: str, fleet: Fleet, journal: Journal, closing: Event
    ) -> None:
        self.plan: Plan | None = None
        """The one that it is at."""
        self.error: BaseException | None = None
        self.gives_up = False
        self._todo = plans(seed, name)
        self._fleet = fleet
        self._journal = journal
        self._closing = closing
        self._random = Random(f"{seed}/{name}/choices")
        self._is_first = True
        self._idle = Event()  # nobody sets it
        self._thread = Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def join(self, deadline: float) -> bool:
        """Whether it has done all that it began, by a time of the monotonic clock."""
        self._thread.join(max(0.0, deadline - time.monotonic()))
        self.gives_up = True
        if self.error is not None:
            raise self.error
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._closing.is_set() and self.error is None:
            self.plan = next(self._todo)
            self._journal.plans[self.plan.request_id] = self.plan
            calls = 2 if self.plan.manner is Manner.TWICE else 1
            others = [Thread(target=self._call, daemon=True) for _ in range(calls - 1)]
            for each in others:
                each.start()
            self._call()
            for each in others:
                each.join()

    def _call(self) -> None:
        try:
            assert self.plan is not None
            self._fulfil(self.plan)
        except BaseException as error:  # noqa: BLE001 - told by `join`
            self.error = error

    def _fulfil(self, plan: Plan) -> None:
        """Come back to the export until it is what it was meant to be, or an answer is wrong."""
        self._is_first = True
        while not self.gives_up:
            try:
                with Doors(self._fleet.pick(self._random), self._journal) as doors:
                    if self._go_on(plan, doors):
                        return
            except Down:
                pass
            except BROKEN as error:
                if not is_harmless(error):
                    self._journal.accuse(plan.request_id, f"a call ended with {error!s:.200}")
                    return
            self._idle.wait(PAUSE)

    def _go_on(self, plan: Plan, doors: Doors) -> bool:
        """Do what is next; True when nothing is."""
        task = doors.status(request_id=plan.request_id)
        if task is None or _sends_again(plan, task):
            first, self._is_first = self._is_first, False
            elsewhere = self._fleet.pick(self._random)
            Sending(plan, doors, elsewhere, self._journal, first=first).run()
        elif task.state == "COMPLETED":
            self._look_at(doors, plan, task)
        return task is not None and task.final and not _sends_again(plan, task)

    def _look_at(self, doors: Doors, plan: Plan, task: Sighting) -> None:
        """Download what is COMPLETED, and hold it against what was sent."""
        content = doors.file(task.task_id)
        digest = hashlib.sha256(content).hexdigest()
        self._journal.note(task.task_id, f"downloaded: {len(content)} bytes, {digest[:8]}")
        if not is_right(plan.filename, content, plan.first, plan.rows):
            self._journal.accuse(task.task_id, "the file has other rows than were sent")
        if (len(content), digest) != (task.size_bytes, task.sha256):
            self._journal.accuse(task.task_id, "the file is not the one that the task tells of")


def _sends_again(plan: Plan, task: Sighting) -> bool:
    """Whether its client sends an export again that has come to this."""
    if plan.manner is Manner.CANCELLING:
        return False
    return task.state in {"FAILED", "CANCELLED"}
