"""Everything that anybody was told, in the order in which it came."""

import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from threading import Condition
from typing import Any

from tests.support.soak.plans import Plan

FINAL = ("COMPLETED", "FAILED", "CANCELLED")
UNFINISHED = ("QUEUED", "PROCESSING", "UPLOADING")


@dataclass(frozen=True)
class Sighting:
    """A task as somebody was told of it: what is said holds for a moment between two others."""

    asked: float
    """Not before this was it true; seconds of the monotonic clock."""
    told: float
    by: str
    """A door, or `record`: the database itself."""
    task_id: str
    state: str
    code: str | None = None
    """Of the error."""
    retryable: bool | None = None
    sha256: str | None = None
    size_bytes: int | None = None

    @property
    def final(self) -> bool:
        return self.state in FINAL


@dataclass(frozen=True)
class Note:
    """Something that happened."""

    at: float
    text: str


@dataclass(frozen=True)
class Death:
    """A process that was ended."""

    at: float
    orphans: dict[str, str]
    """Its unfinished tasks, and the states that the database had them in."""


class Journal:
    """What clients did and were told; from any thread."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.plans: dict[str, Plan] = {}
        self.sightings: dict[str, list[Sighting]] = defaultdict(list)
        """By task."""
        self.tasks: dict[str, list[str]] = defaultdict(list)
        """By request, the tasks that were made of it, in the order in which they became known."""
        self.notes: dict[str, list[Note]] = defaultdict(list)
        """By task or request; what concerns everything is at the empty one."""
        self.cancelled: set[str] = set()
        """Tasks that somebody asked to cancel, whatever came of it."""
        self.dropped: set[str] = set()
        """Tasks whose client ended its call, maybe before its commit was there."""
        self.deaths: list[Death] = []
        self.wrong: list[tuple[str, str]] = []
        """Answers that are wrong by themselves: the task or request, and a sentence."""
        self._events: dict[str, int] = defaultdict(int)
        self._changed = Condition()

    def saw(self, task: dict[str, Any], by: str, asked: float) -> Sighting:
        """Write down a task object, the answer to what was asked at that time."""
        error = task.get("error") or {}
        sighting = Sighting(
            asked=asked,
            told=time.monotonic(),
            by=by,
            task_id=str(task["task_id"]),
            state=str(task["state"]),
            code=error.get("code"),
            retryable=error.get("retryable"),
            sha256=task.get("sha256"),
            size_bytes=task.get("size_bytes"),
        )
        self.add(sighting, task.get("request_id"))
        return sighting

    def add(self, sighting: Sighting, request_id: str | None = None) -> None:
        """Write down what was told, of the task of a request."""
        with self._changed:
            self.sightings[sighting.task_id].append(sighting)
            if request_id and sighting.task_id not in self.tasks[request_id]:
                self.tasks[request_id].append(sighting.task_id)
        self.happened(sighting.state)

    def read(self, rows: Iterable[dict[str, Any]], known: Iterable[str], asked: float) -> None:
        """Write down what the database held after the time `asked`, when those were `known`."""
        there = {self.saw(row, "record", asked).task_id for row in rows}
        for task_id in known:
            if task_id not in there:
                self.accuse(task_id, "it was known, and is not in the database")

    def died(self, server: str, orphans: dict[str, str]) -> None:
        """Write down which unfinished tasks `server` has left, and their states."""
        self.deaths.append(Death(time.monotonic(), orphans))
        self.note("", f"{server} is dead, and has left {orphans or 'nothing'}")

    def last(self, task_id: str) -> Sighting | None:
        """What was told of a task last."""
        seen = self.sightings.get(task_id)
        return seen[-1] if seen else None

    def known(self) -> list[str]:
        """Every task that anybody was told of, oldest first."""
        with self._changed:
            return sorted(self.sightings)

    def note(self, about: str, text: str) -> None:
        """Write down what happened."""
        with self._changed:
            self.notes[about].append(Note(time.monotonic(), text))

    def accuse(self, about: str, sentence: str) -> None:
        """Write down an answer that is wrong whatever else was said."""
        self.note(about, f"WRONG: {sentence}")
        with self._changed:
            self.wrong.append((about, sentence))

    def happened(self, event: str) -> None:
        """Wake who waits for such an event."""
        with self._changed:
            self._events[event] += 1
            self._changed.notify_all()

    def wait_for(self, event: str, timeout: float) -> bool:
        """Block until the event happens once more; False after `timeout` seconds."""
        with self._changed:
            before = self._events[event]
            return self._changed.wait_for(lambda: self._events[event] > before, timeout)

    def told_of(self, about: str) -> str:
        """The journal of one task, or of one request and its tasks, as text."""
        request = next((each for each, ids in self.tasks.items() if about in ids), about)
        concerned = [about] if about not in self.tasks else [about, *self.tasks[about]]
        notes = [note for each in {"", request, *concerned} for note in self.notes[each]]
        lines = [(note.at, note.text) for note in notes]
        lines += [_line(each) for task in concerned for each in _changes(self.sightings[task])]
        plan = self.plans.get(request)
        told = [f"{at - self.began:9.3f}  {text}" for at, text in sorted(lines)]
        return "\n".join([f"{about}: {plan}", *told])


def _changes(sightings: Iterable[Sighting]) -> list[Sighting]:
    """Those that say something else than the one before by the same door."""
    said: dict[str, tuple[object, ...]] = {}
    kept = []
    for each in sightings:
        facts = (each.state, each.code, each.sha256, each.size_bytes)
        if said.get(each.by) != facts:
            said[each.by] = facts
            kept.append(each)
    return kept


def _line(each: Sighting) -> tuple[float, str]:
    facts = [each.state, each.code, each.size_bytes, each.sha256 and each.sha256[:8]]
    said = " ".join(str(fact) for fact in facts if fact is not None)
    return each.told, f"{each.by}: {each.task_id} {said} (asked {each.told - each.asked:.3f} s ago)"
