"""Who hits the servers, looks at what they leave, and brings them back."""

import signal
import time
from random import Random
from threading import Event

from sqlalchemy.engine import URL

from tests.support.soak.blows import Aim, Blow, Kind, Longest
from tests.support.soak.doors import Doors
from tests.support.soak.fleet import Fleet, Member
from tests.support.soak.journal import UNFINISHED, Journal
from tests.support.soak.places import Place
from tests.support.soak.record import Record, read_record
from tests.support.soak.tally import Tally

PATIENCE = 3.0
"""Seconds that a blow waits for its event; then it falls all the same."""

KILLED_AT_ONCE = Blow(Kind.KILL, Aim.START, delay=0, pause=0, away=0)


class Killer:
    """Deals one blow after the other."""

    def __init__(
        self,
        seed: str,
        fleet: Fleet,
        place: Place,
        state: URL,
        journal: Journal,
        longest: Longest,
    ) -> None:
        self.tally = Tally()
        self._random = Random(f"{seed}/killer")
        self._fleet = fleet
        self._place = place
        self._state = state
        self._journal = journal
        self._longest = longest
        self._back_at: dict[str, float] = {}
        self._left: dict[str, dict[str, str]] = {}
        self._idle = Event()  # nobody sets it

    def strike(self, blow: Blow) -> None:
        """Wait for the moment, and hit a server; it may be back when this returns."""
        self._place.trouble(self._random)
        self._bring_back(time.monotonic())
        if blow.aim not in {Aim.ANY, Aim.START}:
            self._journal.wait_for(blow.aim, PATIENCE)
        self._idle.wait(blow.delay)
        member = self._random.choice(self._fleet.there)
        self._journal.note("", f"{member.name}: {blow}")
        self.tally.blows[blow.kind] += 1
        if blow.kind is Kind.FREEZE:
            member.signal(signal.SIGSTOP)
            self._idle.wait(blow.pause * self._longest.pause)
            member.signal(signal.SIGCONT)
            self._journal.note("", f"{member.name} goes on")
        else:
            self._end(member, blow)
            self._start(member, blow)

    def bring_all_back(self) -> None:
        """Every server is there again, and ready."""
        self._bring_back(float("inf"))

    def end_all(self) -> None:
        """End every server as one should."""
        for member in self._fleet.there:
            member.signal(signal.SIGTERM)
            self._look_at_end(member, {0})

    def read(self) -> Record:
        """What is in the database now, which goes into the journal."""
        known, asked = self._journal.known(), time.monotonic()
        found = read_record(self._state)
        self._journal.read(found.rows, known, asked)
        return found

    def _start(self, member: Member, blow: Blow) -> None:
        """Start it again, now or later; maybe in vain."""
        if blow.aim is Aim.START:
            member.launch()
            self._idle.wait(blow.delay)
            self._journal.note("", f"{member.name} is killed while it starts")
            self.tally.blows[Kind.KILL] += 1
            self._end(member, KILLED_AT_ONCE)
        self._back_at[member.name] = time.monotonic() + blow.away * self._longest.away
        if not self._fleet.there or not self._longest.away:
            self._bring_back(float("inf"))

    def _bring_back(self, now: float) -> None:
        """Launch those whose time has come, and wait for them."""
        due = [each for each in self._fleet.members if self._back_at.get(each.name, now) < now]
        for member in due:
            member.launch()
        for member in due:
            del self._back_at[member.name]
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
            self._idle.wait(blow.pause * self._longest.pause)
            member.signal(signal.SIGKILL)
        code = self._look_at_end(member, {0} if blow.kind is Kind.END else {-signal.SIGKILL, 0})
        others = [each for each in self._fleet.members if each is not member]
        orphans = self.read().orphans({pid for each in others for pid in each.pids})
        self._left[member.name] = orphans
        self._journal.died(member.name, orphans)
        self._count(orphans, code)

    def _look_at_end(self, member: Member, expected: set[int]) -> int:
        code, said = member.ended()
        if code not in expected or said:
            self._journal.accuse("", f"{member.name} ended with {code} and said {said!r}")
        return code

    def _count(self, orphans: dict[str, str], code: int) -> None:
        self.tally.deaths += 1
        for state in UNFINISHED:
            number = sum(each == state for each in orphans.values())
            self.tally.hit[state] += number
            self.tally.deaths_with[state] += number > 0
            if code == 0 and number and state != "UPLOADING":
                self._journal.accuse("", f"a server that ended cleanly left {number} {state}")

    def _awake(self, member: Member) -> None:
        """It is ready; and what was not durable has ended before anybody can ask it."""
        reached = member.wait_ready()
        self._journal.note("", f"{member.name} is ready")
        with Doors(reached, self._journal) as doors:
            for task_id, state in self._left.pop(member.name, {}).items():
                task = doors.status(task_id=task_id)
                if state != "UPLOADING" and (task is None or not task.final):
                    said = f"it was {state} when its server died, which is back, and has not ended"
                    self._journal.accuse(task_id, said)
