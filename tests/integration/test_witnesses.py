"""Fifty who ask for twenty exports, some of which are cancelled: nothing goes backwards."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count

import pytest
from pyarrow import flight

from tests.conftest import StartServer
from tests.support.exports import Actions, Json, Put
from tests.support.site import Running
from tests.support.waiting import wait_for

EXPORTS = 20
ASKERS = 50
BATCHES = 6
BATCH_ROWS = 300
ROWS = BATCHES * BATCH_ROWS

ORDER = {"QUEUED": 0, "PROCESSING": 1, "UPLOADING": 2, "COMPLETED": 3, "FAILED": 3, "CANCELLED": 3}


@dataclass
class Witness:
    """Keeps what it was told of each task, and complains of what goes backwards."""

    seen: dict[str, Json] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)

    def hear(self, task: Json) -> None:
        before = self.seen.setdefault(task["task_id"], task)
        self.seen[task["task_id"]] = task
        if not follows(before, task):
            self.complaints.append(f"{shown(before)} and then {shown(task)}")


def follows(before: Json, after: Json) -> bool:
    """Whether a task can have been the one, and then the other."""
    if before["completed_at"]:
        return shown(before) == shown(after)
    grown = all((before[name] or 0) <= (after[name] or 0) for name in ("rows", "bytes", "progress"))
    return grown and ORDER[before["state"]] <= ORDER[after["state"]]


def shown(task: Json) -> str:
    return ", ".join(f"{name} {task[name]}" for name in ("state", "rows", "bytes", "progress"))


def ways(server: Running, actions: Actions) -> tuple[Callable[[str], list[Json]], ...]:
    """To ask for a task, and to hear of others."""
    return (
        lambda task_id: actions.all("status", task_id=task_id),
        lambda _: actions.all("list", limit=5),
        lambda _: actions.all("list", state="PROCESSING"),
        lambda task_id: [server.web.get(f"{server.http}/api/tasks/{task_id}").json()],
    )


def asking(server: Running, number: int, known: list[str], over: threading.Event) -> Witness:
    """One who asks until it is over: of every eight five for the status, and one each otherwise."""
    witness = Witness()
    with flight.FlightClient(server.flight) as client:
        ask = ways(server, Actions(client))[max(0, number % 8 - 4)]
        for turn in count(number):
            if known:
                for task in ask(known[turn % len(known)]):
                    witness.hear(task)
            if over.wait(0.01):
                return witness
    raise AssertionError


def exporting(server: Running, number: int, known: list[str]) -> str:
    """An export of many batches, every fifth one cancelled while it is under way; its end."""
    put = Put.opened(server.client, filename=("a.csv", "a.xlsx")[number % 2], rows=ROWS)
    known.append(put.task_id)
    for turn in range(BATCHES):
        put.send(BATCH_ROWS, turn * BATCH_ROWS)
        if number % 5 == 0 and turn == BATCHES // 2:
            wait_for(lambda: server.actions.one("status", task_id=put.task_id)["rows"], timeout=60)
            server.actions.one("cancel", task_id=put.task_id)
            with pytest.raises(flight.FlightCancelledError):
                put.answers()
            return "CANCELLED"
    return str(put.result()["state"])


def test_nobody_is_told_less_than_before(start_server: StartServer) -> None:
    server = start_server("concurrency.max_concurrent_tasks=6")
    known: list[str] = []
    over = threading.Event()
    with ThreadPoolExecutor(ASKERS) as askers, ThreadPoolExecutor(EXPORTS) as exports:
        asked = [askers.submit(asking, server, number, known, over) for number in range(ASKERS)]
        try:
            ends = list(exports.map(lambda number: exporting(server, number, known), range(20)))
        finally:
            over.set()
        witnesses = [each.result() for each in asked]
    assert [complaint for witness in witnesses for complaint in witness.complaints] == []
    assert all(witness.seen for witness in witnesses)
    tasks = server.actions.all("list")
    assert sorted(task["state"] for task in tasks) == sorted(ends)
    assert ends.count("COMPLETED") == 16
    assert {task["rows"] for task in tasks if task["state"] == "COMPLETED"} == {ROWS}
