"""One run: clients at work, blows at the servers, and the audit when all is quiet."""

import hashlib
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from random import Random
from threading import Event

from sqlalchemy.engine import make_url

from tests.support.soak.audit import ENDED_BY_A_BLOW, Finding, findings
from tests.support.soak.blows import Aim, Blow, Kind, blows
from tests.support.soak.clients import Client
from tests.support.soak.doors import Doors
from tests.support.soak.fleet import Fleet, Member
from tests.support.soak.journal import UNFINISHED, Journal
from tests.support.soak.places import Place
from tests.support.soak.plans import plans
from tests.support.soak.record import rows_of
from tests.support.soak.tally import Tally
from tests.support.soak.watcher import Watcher
from tests.support.waiting import wait_for

CLIENTS = 5

PATIENCE = 3.0
"""Seconds that a blow waits for its event; then it falls all the same."""

SETTLING = 90.0
"""Seconds for clients to get what they began, once nothing happens to the servers any more."""

JOURNALS = 5
"""At most so many are printed, where much has gone wrong."""

CLEARING = 10.0
"""Seconds for files that nobody needs to go."""


class Episode:
    """Servers over one state and one place, and everybody who has to do with them."""

    def __init__(self, seed: str, fleet: Fleet, place: Place, state_url: str) -> None:
        self.seed = seed
        self.journal = Journal()
        self.tally = Tally()
        self._fleet = fleet
        self._place = place
        self._state = make_url(state_url)
        self._random = Random(f"{seed}/episode")

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
                    self._strike(next(strokes))
            self._audit()
        finally:
            self._fleet.close()

    @contextmanager
    def _people(self) -> Iterator[None]:
        """Clients and a watcher at work; at the end everybody has got what was begun."""
        closing = Event()
        names = [f"client{number}" for number in range(CLIENTS)]
        clients = [
            Client(name, plans(self.seed, name), self._fleet, self.journal, closing)
            for name in names
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

    def _strike(self, blow: Blow) -> None:
        """Wait for the moment, hit a server, and see it come back."""
        self._place.trouble(self._random)
        member = self._random.choice(self._fleet.members)
        if blow.aim not in {Aim.ANY, Aim.START}:
            self.journal.wait_for(blow.aim, PATIENCE)
        Event().wait(blow.delay)
        self.journal.note("", f"{member.name}: {blow}")
        self.tally.blows[blow.kind] += 1
        if blow.kind is Kind.FREEZE:
            member.signal(signal.SIGSTOP)
            Event().wait(blow.pause)
            member.signal(signal.SIGCONT)
            return
        self._end(member, blow)
        member.launch()
        if blow.aim is Aim.START:
            Event().wait(blow.delay)
            self.journal.note("", f"{member.name} is killed while it starts")
            self.tally.blows[Kind.KILL] += 1
            self._end(member, Blow(Kind.KILL, Aim.START, 0, 0))
            member.launch()
        self._awake(member)

    def _end(self, member: Member, blow: Blow) -> None:
        """End the process, and look at what it leaves."""
        first = {
            Kind.END: signal.SIGTERM,
            Kind.END_AND_KILL: signal.SIGTERM,
            Kind.FREEZE_AND_KILL: signal.SIGSTOP,
        }.get(blow.kind, signal.SIGKILL)
        member.signal(first)
        if blow.kind in {Kind.END_AND_KILL, Kind.FREEZE_AND_KILL}:
            Event().wait(blow.pause)
            member.signal(signal.SIGKILL)
        code, said = member.ended()
        expected = {0} if blow.kind is Kind.END else {-signal.SIGKILL, 0}
        if code not in expected or said:
            self.journal.accuse("", f"{member.name} ended with {code} and said {said!r}")
        states = self.journal.died(member.name, rows_of(self._state), time.monotonic())
        self._count(states, code)

    def _count(self, states: dict[str, str], code: int) -> None:
        self.tally.deaths += 1
        for state in UNFINISHED:
            number = sum(each == state for each in states.values())
            self.tally.hit[state] += number
            self.tally.deaths_with[state] += number > 0
            if code == 0 and number and state != "UPLOADING":
                self.journal.accuse("", f"a server that ended cleanly left {number} {state}")

    def _awake(self, member: Member) -> None:
        """It is ready; and what was not durable is INTERRUPTED before anybody can ask."""
        reached = member.wait_ready()
        self.journal.note("", f"{member.name} is ready")
        with Doors(reached, self.journal) as doors:
            for task_id, state in self.journal.deaths[-1].items():
                if state not in UNFINISHED:
                    continue
                task = doors.status(task_id=task_id)
                if state != "UPLOADING" and (task is None or task.code != "INTERRUPTED"):
                    said = f"it was {state} when its server died, and is not INTERRUPTED now"
                    self.journal.accuse(task_id, said)

    def _audit(self) -> None:
        """Hold everything against the promise."""
        [reached, *_] = [each.reached for each in self._fleet.members if each.reached]
        with Doors(reached, self.journal) as doors:
            wait_for(lambda: all(each.final for each in doors.everything()), SETTLING)
            ends = {each.task_id: each for each in doors.everything()}
            completed = {each.task_id for each in ends.values() if each.state == "COMPLETED"}
            for task_id in completed:
                self._download(doors, task_id)
        found = self._left(completed)
        for member in self._fleet.members:
            member.signal(signal.SIGTERM)
            code, said = member.ended()
            if (code, said) != (0, ""):
                self.journal.accuse("", f"{member.name} ended with {code} and said {said!r}")
        self.journal.died("every server", rows_of(self._state), time.monotonic())
        self._conclude([*findings(self.journal), *found])

    def _download(self, doors: Doors, task_id: str) -> None:
        content = doors.file(task_id)
        self.tally.downloads += 1
        told = self.journal.sightings[task_id][-1]
        if (len(content), hashlib.sha256(content).hexdigest()) != (told.size_bytes, told.sha256):
            self.journal.accuse(task_id, "the file is not the one that the task tells of")

    def _left(self, completed: set[str]) -> list[Finding]:
        """What is too many or missing, once servers have had the time to clear up."""
        try:
            wait_for(lambda: not self._place.wrong(completed), CLEARING)
        except AssertionError:
            wrong = self._place.wrong(completed)
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
        for states in journal.deaths:
            tally.fates.update(
                (state, ends[task_id]) for task_id, state in states.items() if state in UNFINISHED
            )
        tally.retried = sum(
            "COMPLETED" in made and any(end.endswith(ENDED_BY_A_BLOW) for end in made)
            for made in ([ends[task] for task in tasks] for tasks in journal.tasks.values())
        )


def _end_of(journal: Journal, task_id: str) -> str:
    end = journal.sightings[task_id][-1]
    return f"{end.state} {end.code}" if end.code else end.state


def _task_in(journal: Journal, sentence: str) -> str:
    """The task that a file's name speaks of."""
    return next((task for task in journal.known() if task in sentence), "")
