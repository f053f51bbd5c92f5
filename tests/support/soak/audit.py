"""The promise, held against a journal.

A task that was UPLOADING once ends COMPLETED, unless somebody cancelled it, or nobody who has its
file came back in time; one that a death met earlier ends FAILED with INTERRUPTED. No answer is ever
taken back.
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


def findings(journal: Journal, recovery_timeout: float | None = None) -> list[Finding]:
    """Everything that a journal shows to be wrong, once all tasks should have been finished.

    `recovery_timeout`, in seconds, is that of servers that may stay away for longer.
    """
    found = [Finding(about, sentence) for about, sentence in journal.wrong]
    for task_id in journal.known():
        seen = journal.sightings[task_id]
        for check in (_forwards, _unchanging, _well_ended, _told_truly):
            found += [Finding(task_id, each) for each in check(journal, task_id, seen)]
        if not _is_kept(journal, task_id, seen, recovery_timeout):
            found.append(Finding(task_id, f"it was durable, and ended {_end(seen)}", lost=True))
    for request_id, plan in journal.plans.items():
        completed = _completed(journal, request_id)
        if len(completed) > 1:
            found.append(Finding(request_id, f"several tasks are COMPLETED: {completed}"))
        elif not completed and plan.manner is not Manner.CANCELLING:
            found.append(Finding(request_id, "it was never COMPLETED", lost=True))
    return found


Said = Iterator[str]


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
            yield f"{each.by} said {each.state} after {farthest.by} had said {farthest.state}"
            return


def _unchanging(_journal: Journal, _task_id: str, seen: Sequence[Sighting]) -> Said:
    """What is finished is the same for ever."""
    ends = [each for each in seen if each.final]
    for name in ("state", "code", "retryable", "sha256", "size_bytes"):
        values = {getattr(each, name) for each in ends} - {None}
        if len(values) > 1:
            yield f"its end changed: {name} was {' and '.join(sorted(map(str, values)))}"


def _is_kept(
    journal: Journal, task_id: str, seen: Sequence[Sighting], recovery_timeout: float | None
) -> bool:
    """Who was told UPLOADING gets the file."""
    durable = any(each.state in {"UPLOADING", "COMPLETED"} for each in seen)
    if not durable or not seen[-1].final or seen[-1].state == "COMPLETED":
        return True
    if seen[-1].state == "CANCELLED":
        return task_id in journal.cancelled
    deaths = [each.at for each in journal.deaths if task_id in each.orphans]
    ended = min(each.told for each in seen if each.final)
    waited = ended - max(deaths) if deaths else 0.0
    in_vain = recovery_timeout is not None and waited >= recovery_timeout
    return in_vain and seen[-1].code == "INTERRUPTED"


def _well_ended(journal: Journal, task_id: str, seen: Sequence[Sighting]) -> Said:
    """It is finished, for a reason that there was."""
    end = seen[-1]
    reasons = set(ENDED_BY_A_BLOW)
    if task_id in journal.dropped:
        reasons.add("INCOMPLETE_STREAM")
    if not end.final:
        yield f"it is {end.state} for ever"
    if end.state == "FAILED" and end.code not in reasons:
        yield f"it FAILED with {end.code}"
    if end.state == "CANCELLED" and task_id not in journal.cancelled:
        yield "it is CANCELLED, and nobody asked for that"
    if any(each.retryable is False for each in seen):
        yield "a retry would help, and it says that none does"


def _told_truly(journal: Journal, task_id: str, seen: Sequence[Sighting]) -> Said:
    """What a death met before UPLOADING is INTERRUPTED, or cancelled before that was noticed."""
    for death in journal.deaths:
        state = death.orphans.get(task_id)
        cancelled = seen[-1].state == "CANCELLED"
        if state in {"QUEUED", "PROCESSING"} and not cancelled and seen[-1].code != "INTERRUPTED":
            yield f"it was {state} when its server died, and ended {_end(seen)}"


def _end(seen: Sequence[Sighting]) -> str:
    return " ".join(filter(None, (seen[-1].state, seen[-1].code)))


def _completed(journal: Journal, request_id: str) -> list[str]:
    tasks = journal.tasks.get(request_id, [])
    return [each for each in tasks if journal.sightings[each][-1].state == "COMPLETED"]
