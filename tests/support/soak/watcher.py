"""Somebody who looks at the tasks all the time, through every door."""

from random import Random
from threading import Event, Thread

from tests.support.soak.doors import BROKEN, Doors, is_harmless
from tests.support.soak.fleet import Down, Fleet
from tests.support.soak.journal import Journal

PAUSE = 0.02
"""Seconds between two questions."""

NEWEST = 8
"""Tasks; clients have about five under way."""


class Watcher:
    """A thread that asks about the newest tasks, and now and then about older ones."""

    def __init__(self, seed: str, fleet: Fleet, journal: Journal) -> None:
        self.error: BaseException | None = None
        self._random = Random(f"{seed}/watcher")
        self._fleet = fleet
        self._journal = journal
        self._closing = Event()
        self._thread = Thread(target=self._run, name="watcher", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ask no more. Raises what it could not bear."""
        self._closing.set()
        self._thread.join()
        if self.error is not None:
            raise self.error

    def _run(self) -> None:
        try:
            while not self._closing.wait(PAUSE):
                self._watch()
        except BaseException as error:  # noqa: BLE001 - told by `stop`
            self.error = error

    def _watch(self) -> None:
        """Ask one server a few times, as long as it is there."""
        try:
            with Doors(self._fleet.pick(self._random), self._journal) as doors:
                for _ in range(20):
                    self._ask(doors)
                    if self._closing.wait(PAUSE):
                        return
        except Down:
            return
        except BROKEN as error:
            if not is_harmless(error):
                self._journal.accuse("", f"who watches was answered with {error!s:.200}")

    def _ask(self, doors: Doors) -> None:
        choice = self._random.random()
        if choice < 0.15:
            doors.listed(limit=20)
        elif choice < 0.3:
            doors.pages()
        else:
            task_id = self._any_task()
            if task_id is not None:
                doors.page(task_id) if choice < 0.5 else doors.status(task_id=task_id)

    def _any_task(self) -> str | None:
        """Mostly one that is unfinished, or has just ended."""
        known = self._journal.known()
        if self._random.random() < 0.9:
            known = known[-NEWEST:]
        return self._random.choice(known) if known else None
