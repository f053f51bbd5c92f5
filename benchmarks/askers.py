"""Many clients, each with a connection of its own, who ask for the status of what runs."""

import json
import threading
import time
from dataclasses import dataclass
from typing import Any

from pyarrow import flight

START_SECONDS = 60.0
"""How long the exports may take to be there, all of them."""


def ask(url: str, exports: int, askers: int, pause: float) -> list[float]:
    """Seconds of each answer, from when so many exports run until the first of them has ended.

    None where they never ran all at once. Each client waits `pause` seconds between an answer and
    its next question; 0 waits for nothing.
    """
    over = threading.Event()
    answers: list[list[float]] = [[] for _ in range(askers)]
    client = _Asker(url, _running(url, exports), pause, over)
    threads = [
        threading.Thread(target=client.ask, args=(number, pause * number / askers, answers[number]))
        for number in range(askers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [seconds for each in answers for seconds in each]


def _running(url: str, exports: int) -> list[str]:
    """The ids of the exports, once all of them are there."""
    body = json.dumps({"limit": exports}).encode()
    deadline = time.monotonic() + START_SECONDS
    with flight.FlightClient(url) as client:
        while time.monotonic() < deadline:
            tasks = [_json(each) for each in client.do_action(flight.Action("list", body))]
            if len(tasks) == exports:
                return [task["task_id"] for task in tasks]
            time.sleep(0.005)
    raise RuntimeError(f"there were no {exports} exports within {START_SECONDS:g} s")


@dataclass(frozen=True)
class _Asker:
    url: str
    task_ids: list[str]
    pause: float
    over: threading.Event

    def ask(self, turn: int, delay: float, answers: list[float]) -> None:
        """Ask until it is over, for the first time after `delay`: not all in the same moment."""
        # Without it, gRPC would give all clients of a process one connection.
        own = [("grpc.use_local_subchannel_pool", 1)]
        with flight.FlightClient(self.url, generic_options=own) as client:
            client.wait_for_available()
            self.over.wait(delay)
            while not self.over.is_set():
                turn += 1
                seconds, task = self._question(client, self.task_ids[turn % len(self.task_ids)])
                if task["completed_at"] is not None:
                    self.over.set()
                    return
                answers.append(seconds)
                if self.pause:
                    self.over.wait(self.pause)

    def _question(self, client: flight.FlightClient, task_id: str) -> tuple[float, Any]:
        body = json.dumps({"task_id": task_id}).encode()
        began = time.perf_counter()
        [result] = client.do_action(flight.Action("status", body))
        return time.perf_counter() - began, _json(result)


def _json(result: flight.Result) -> Any:
    return json.loads(result.body.to_pybytes())
