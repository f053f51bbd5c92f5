"""The promise, held against a journal.

A task that was UPLOADING once ends COMPLETED, unless somebody cancelled it; one that a death met
earlier ends FAILED with INTERRUPTED. No answer is ever taken back.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.support.soak.journal import Journal, Sighting
from tests.support.soak.plans import Manner

RANKS = {"QUEUED": 0, "PROCESSING": 1, "UPLOADING": 2, "COMPLETED": 3, "FAILED": 3, "CANCELLED": 3}

ENDED_BY_A_BLOW = ("INTERRUPTED", "SHUTTING_DOWN")


@dataclass(frozen=True)
class Finding:
    """A promise that was not kept."""

    about: str
    """The task or the request."""
    sentence: str
    lost: bool = False
    """An export that was announced and is not there."""


def findings(journal: Journal) -> list[Finding]:
    """Everything that a journal shows to be wrong, once all tasks should have been finished."""
    found = [Finding(about, sentence) for about, sentence in journal.wrong]
    for task_id in journal.known():
        seen = journal.sightings[task_id]
        for check in (_forwards, _unchanging, _kept, _well_ended, _told_truly):
            found += [Finding(task_id, *each) for each in check(journal, task_id, seen)]
    for request_id, plan in journal.plans.items():
        completed = _completed(journal, request_id)
        if len(completed) > 1:
            found.append(Finding(request_id, f"several tasks are COMPLETED: {completed}"))
        elif not completed and plan.manner is not Manner.CANCELLING:
            found.append(Finding(request_id, "it was never COMPLETED", lost=True))
    return found


Said = Iterator[tuple[str] | tuple[str, bool]]


def _forwards(_journal: Journal, _task_id: str, seen: Sequence[Sighting]) -> Said:
    """What was told before a question was asked is no later state than the answer."""
    by_end = sorted(seen, key=lambda each: each.told)
    farthest, next_end = None, 0
    for each in sorted(seen, key=lambda each: each.asked):
        while by_end[next_end].told < each.asked:
            earlier = by_end[next_end]
            if farthest is None or RANKS[earlier.state] > RANKS[farthest.state]:
                farthest = earlier
            next_end += 1
        if farthest is not None and RANKS[each.state] < RANKS[farthest.state]:
            yield (f"{each.by} said {each.state} after {farthest.by} had said {farthest.state}",)
            return


def _unchanging(_journal: Journal, _task_id: str, seen: Sequence[Sighting]) -> Said:
    """What is finished is the same for ever."""
    ends = [each for each in seen if each.final]
    for name in ("state", "code", "retryable", "sha256", "size_bytes"):
        values = {getattr(each, name) for each in ends} - {None}
        if len(values) > 1:
            yield (f"its end changed: {name} was {' and '.join(sorted(map(str, values)))}",)


def _kept(journal: Journal, task_id: str, seen: Sequence[Sighting]) -> Said:
    """Who was told UPLOADING gets the file."""
    end = seen[-1].state
    durable = [each for each in seen if each.state in {"UPLOADING", "COMPLETED"}]
    allowed = {"COMPLETED", "CANCELLED"} if task_id in journal.cancelled else {"COMPLETED"}
    if durable and end not in allowed:
        yield f"{durable[0].by} said {durable[0].state}; it ended {end} {seen[-1].code}", True


def _well_ended(journal: Journal, task_id: str, seen: Sequence[Sighting]) -> Said:
    """It is finished, for a reason that there was."""
    end = seen[-1]
    reasons = set(ENDED_BY_A_BLOW)
    if task_id in journal.dropped:
        reasons.add("INCOMPLETE_STREAM")
    if not end.final:
        yield f"it is {end.state} for ever", True
    if end.state == "FAILED" and end.code not in reasons:
        yield (f"it FAILED with {end.code}",)
    if end.state == "CANCELLED" and task_id not in journal.cancelled:
        yield ("it is CANCELLED, and nobody asked for that",)
    if any(each.retryable is False for each in seen):
        yield ("a retry would help, and it says that none does",)


def _told_truly(journal: Journal, task_id: str, seen: Sequence[Sighting]) -> Said:
    """What a death met before UPLOADING is INTERRUPTED; nothing else can have happened to it."""
    for death in journal.deaths:
        state = death.get(task_id)
        if state in {"QUEUED", "PROCESSING"} and seen[-1].code != "INTERRUPTED":
            yield (f"it was {state} when its server died, and ended {seen[-1].state}",)


def _completed(journal: Journal, request_id: str) -> list[str]:
    tasks = journal.tasks.get(request_id, [])
    return [each for each in tasks if journal.sightings[each][-1].state == "COMPLETED"]
