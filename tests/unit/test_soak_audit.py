"""The audit of the kill harness finds what it is there for: each promise, broken on purpose."""

from typing import Any

import pytest

from tests.support.soak.audit import findings
from tests.support.soak.journal import Death, Journal, Sighting
from tests.support.soak.plans import Manner, Plan

TASK, REQUEST = "task-1", "request-1"


def plan(manner: Manner = Manner.STEADY) -> Plan:
    return Plan(REQUEST, "a.csv", manner, 0, 10, 2, 0.0, 1, 1.0)


@pytest.fixture
def journal() -> Journal:
    started = Journal()
    started.plans[REQUEST] = plan()
    return started


def tell(journal: Journal, *states: str, task: str = TASK, **facts: Any) -> None:
    """Answers one after the other; the last one has the facts."""
    moment = float(len(journal.sightings[task]))
    for number, state in enumerate(states):
        said = facts if number == len(states) - 1 else {}
        sighting = Sighting(moment + number, moment + number + 0.5, "status", task, state, **said)
        journal.add(sighting, REQUEST)


def sentences(journal: Journal) -> str:
    return "\n".join(f"{each.about}: {each.sentence}" for each in findings(journal))


def test_a_good_life_is_no_finding(journal: Journal) -> None:
    tell(journal, "QUEUED", "PROCESSING", "UPLOADING", "COMPLETED", sha256="a", size_bytes=1)
    assert findings(journal) == []


def test_an_interrupted_task_that_is_sent_again_is_no_finding(journal: Journal) -> None:
    journal.deaths.append(Death(0.0, {TASK: "PROCESSING"}))
    tell(journal, "PROCESSING", "FAILED", code="INTERRUPTED", retryable=True)
    tell(journal, "COMPLETED", task="task-2")
    assert findings(journal) == []


@pytest.mark.parametrize(
    ("states", "facts", "words"),
    [
        (["UPLOADING", "FAILED"], {"code": "INTERRUPTED"}, "it was durable, and ended FAILED"),
        (["COMPLETED", "FAILED"], {"code": "INTERRUPTED"}, "its end changed: state"),
        (["UPLOADING", "PROCESSING", "COMPLETED"], {}, "said PROCESSING after"),
        (["COMPLETED", "UPLOADING", "COMPLETED"], {}, "said UPLOADING after"),
        (["PROCESSING", "UPLOADING"], {}, "it is UPLOADING for ever"),
        (["FAILED"], {"code": "STORAGE_ERROR"}, "it FAILED with STORAGE_ERROR"),
        (["FAILED"], {"code": "INCOMPLETE_STREAM"}, "it FAILED with INCOMPLETE_STREAM"),
        (["FAILED"], {"code": "INTERRUPTED", "retryable": False}, "a retry would help"),
        (["CANCELLED"], {}, "nobody asked for that"),
    ],
)
def test_an_answer_that_is_not_kept_is_found(
    journal: Journal, states: list[str], facts: dict[str, Any], words: str
) -> None:
    tell(journal, *states, **facts)
    assert words in sentences(journal)


@pytest.mark.parametrize("name", ["sha256", "size_bytes", "code"])
def test_a_result_that_changes_is_found(journal: Journal, name: str) -> None:
    tell(journal, "COMPLETED", **{name: "one"})
    tell(journal, "COMPLETED", **{name: "other"})
    assert f"its end changed: {name} was one and other" in sentences(journal)


def test_two_answers_to_questions_at_once_may_come_in_any_order(journal: Journal) -> None:
    journal.add(Sighting(0.0, 3.0, "list", TASK, "COMPLETED"), REQUEST)
    journal.add(Sighting(1.0, 2.0, "status", TASK, "UPLOADING"), REQUEST)
    journal.add(Sighting(4.0, 5.0, "status", TASK, "COMPLETED"), REQUEST)
    assert findings(journal) == []


@pytest.mark.parametrize("state", ["QUEUED", "PROCESSING"])
def test_what_a_death_met_early_must_be_interrupted(journal: Journal, state: str) -> None:
    journal.deaths.append(Death(0.0, {TASK: state}))
    tell(journal, "COMPLETED")
    assert f"it was {state} when its server died, and ended COMPLETED" in sentences(journal)


@pytest.mark.parametrize(("timeout", "is_lost"), [(None, True), (2.0, True), (1.0, False)])
def test_a_durable_file_may_be_given_up_once_it_was_waited_for_long_enough(
    journal: Journal, timeout: float | None, is_lost: bool
) -> None:
    journal.plans.clear()
    journal.deaths.append(Death(1.0, {TASK: "UPLOADING"}))
    tell(journal, "UPLOADING", "UPLOADING", "FAILED", code="INTERRUPTED")  # told at 2.5 s
    assert any(each.lost for each in findings(journal, timeout)) == is_lost


def test_two_completed_tasks_of_one_request_are_found(journal: Journal) -> None:
    tell(journal, "COMPLETED")
    tell(journal, "COMPLETED", task="task-2")
    assert f"{REQUEST}: several tasks are COMPLETED" in sentences(journal)


def test_a_request_that_came_to_nothing_is_lost(journal: Journal) -> None:
    tell(journal, "FAILED", code="INTERRUPTED")
    [found] = findings(journal)
    assert (found.about, found.lost) == (REQUEST, True)


@pytest.mark.parametrize("end", ["CANCELLED", "COMPLETED"])
def test_a_cancelled_export_may_end_either_way(journal: Journal, end: str) -> None:
    journal.plans[REQUEST] = plan(Manner.CANCELLING)
    journal.cancelled.add(TASK)
    tell(journal, "UPLOADING", end)
    assert findings(journal) == []


def test_a_task_that_is_missing_in_the_database_is_found(journal: Journal) -> None:
    tell(journal, "COMPLETED")
    journal.read([], journal.known(), 9.0)
    assert "is not in the database" in sentences(journal)


def test_the_journal_of_a_task_tells_who_said_what(journal: Journal) -> None:
    tell(journal, "PROCESSING", "PROCESSING", "FAILED", code="INTERRUPTED")
    journal.note(TASK, "the client has sent what it had")
    told = journal.told_of(TASK)
    assert told.count(f"status: {TASK} PROCESSING") == 1
    assert f"status: {TASK} FAILED INTERRUPTED" in told
    assert "the client has sent what it had" in told
    assert "manner=" in told
