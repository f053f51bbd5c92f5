"""One run: clients at work, blows at the servers, and the audit when all is quiet."""

import hashlib
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from threading import Event

from sqlalchemy.engine import make_url

from tests.support.soak.audit import ENDED_BY_A_BLOW, Finding, findings
from tests.support.soak.blows import ONE_SERVER, Longest, blows
from tests.support.soak.clients import Client
from tests.support.soak.doors import BROKEN, Doors
from tests.support.soak.fleet import Fleet
from tests.support.soak.journal import Journal, Sighting
from tests.support.soak.killer import Killer
from tests.support.soak.places import Place
from tests.support.soak.tally import Tally
from tests.support.soak.watcher import Watcher
from tests.support.waiting import wait_for

CLIENTS = 5

SETTLING = 90.0
"""Seconds for clients to get what they began, once nothing happens to the servers any more."""

CLEARING = 15.0
"""Seconds for files that nobody needs to go."""

JOURNALS = 5
"""At most so many are printed, where much has gone wrong."""


class Episode:
    """Servers over one state and one place, and everybody who has to do with them.

    `recovery_timeout`, in seconds, is given where a server may be missing for longer than that.
    """

    def __init__(
        self,
        seed: str,
        fleet: Fleet,
        place: Place,
        state_url: str,
        longest: Longest = ONE_SERVER,
        recovery_timeout: float | None = None,
    ) -> None:
        self.seed = seed
        self.journal = Journal()
        self._fleet = fleet
        self._place = place
        self._recovery_timeout = recovery_timeout
        self._killer = Killer(seed, fleet, place, make_url(state_url), self.journal, longest)

    @property
    def tally(self) -> Tally:
        """What was hit, and what became of it."""
        return self._killer.tally

    def run(self, deaths: int) -> None:
        """Let so many processes die. AssertionError with seed and journals if a promise broke."""
        try:
            for member in self._fleet.members:
                member.launch()
            for member in self._fleet.members:
                member.wait_ready()
            with self._people():
                strokes = blows(self.seed)
                while self.tally.deaths < deaths:
                    self._killer.strike(next(strokes))
                self._killer.bring_all_back()
            self._conclude(self._audit())
        except BaseException as error:
            error.add_note(f"seed {self.seed}")
            raise
        finally:
            self._fleet.close()

    @contextmanager
    def _people(self) -> Iterator[None]:
        """Clients and a watcher at work; at the end everybody has got what was begun."""
        closing = Event()
        clients = [
            Client(self.seed, f"client{number}", self._fleet, self.journal, closing)
            for number in range(CLIENTS)
        ]
        watcher = Watcher(self.seed, self._fleet, self.journal)
        for each in (*clients, watcher):
            each.start()
        try:
            yield
        finally:
            closing.set()
            deadline = time.monotonic() + SETTLING
            done = [client.join(deadline) for client in clients]
            watcher.stop()
        for client, has_ended in zip(clients, done, strict=True):
            if not has_ended and client.plan is not None:
                self.journal.accuse(client.plan.request_id, "its client waits for ever")

    def _audit(self) -> list[Finding]:
        """Hold everything against the promise."""
        self._place.hurry()
        ends: dict[str, Sighting] = {}
        for member in self._fleet.members:
            assert member.reached is not None
            with Doors(member.reached, self.journal) as doors:
                _wait_until_all_have_ended(doors)
                ends = {each.task_id: each for each in doors.everything()}
                for task_id in _ended(ends, "COMPLETED"):
                    self._download(doors, task_id)
        left = self._left(ends)
        self._killer.end_all()
        self._killer.read()
        return [*findings(self.journal, self._recovery_timeout), *left]

    def _download(self, doors: Doors, task_id: str) -> None:
        try:
            content = doors.file(task_id)
        except BROKEN as error:
            self.journal.accuse(task_id, f"its file cannot be had: {error!s:.200}")
            return
        self.tally.downloads += 1
        told = self.journal.sightings[task_id][-1]
        if (len(content), hashlib.sha256(content).hexdigest()) != (told.size_bytes, told.sha256):
            self.journal.accuse(task_id, "the file is not the one that the task tells of")

    def _left(self, ends: dict[str, Sighting]) -> list[Finding]:
        """What is too many or missing, once servers have had the time to clear up."""
        completed = _ended(ends, "COMPLETED")
        given_up = {task for task in _ended(ends, "FAILED") if ends[task].size_bytes is not None}
        try:
            wait_for(lambda: not self._place.wrong(completed, given_up), CLEARING)
        except AssertionError:
            wrong = self._place.wrong(completed, given_up)
            return [Finding(_task_in(self.journal, each), each) for each in wrong]
        return []

    def _conclude(self, found: Sequence[Finding]) -> None:
        self._count_ends()
        self.tally.lost = sum(each.lost for each in found)
        self.tally.wrong = len(found) - self.tally.lost
        if not found:
            return
        said = [f"seed {self.seed}: {len(found)} promises were not kept"]
        said += [f"{each.about}: {each.sentence}" for each in found]
        told = {each.about: self.journal.told_of(each.about) for each in found}
        raise AssertionError("\n".join([*said, *islice(told.values(), JOURNALS)]))

    def _count_ends(self) -> None:
        journal, tally = self.journal, self.tally
        ends = {task_id: _end_of(journal, task_id) for task_id in journal.known()}
        tally.ends.update(ends.values())
        tally.exports = len(journal.plans)
        for death in journal.deaths:
            tally.fates.update((state, ends[task]) for task, state in death.orphans.items())
        tally.retried = sum(
            "COMPLETED" in made and any(end.endswith(ENDED_BY_A_BLOW) for end in made)
            for made in ([ends[task] for task in tasks] for tasks in journal.tasks.values())
        )


def _wait_until_all_have_ended(doors: Doors) -> None:
    wait_for(lambda: all(each.final for each in doors.everything()), SETTLING)


def _ended(ends: dict[str, Sighting], state: str) -> set[str]:
    return {task_id for task_id, end in ends.items() if end.state == state}


def _end_of(journal: Journal, task_id: str) -> str:
    end = journal.sightings[task_id][-1]
    return f"{end.state} {end.code}" if end.code else end.state


def _task_in(journal: Journal, sentence: str) -> str:
    """The task that a file's name speaks of."""
    return next((task for task in journal.known() if task in sentence), "")
