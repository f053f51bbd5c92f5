"""An export that sends until it is held back."""

import threading

from tests.support.exports import Put
from tests.support.waiting import wait_for


class HeldStream:
    """An export that sends more than everything on its way can hold, from a thread."""

    _BATCHES = 200

    def __init__(self, put: Put) -> None:
        self.put = put
        self._sent = 0
        self._thread = threading.Thread(target=self._send, daemon=True)
        self._thread.start()

    def wait_until_held_back(self) -> None:
        """Until it has sent something, and then nothing more for a while."""
        seen = [0] * 20

        def stands() -> bool:
            seen.append(self._sent)
            return seen[-1] > 0 and set(seen[-20:]) == {seen[-1]}

        wait_for(stands)
        assert self._sent < self._BATCHES

    def wait_until_sent(self) -> None:
        wait_for(lambda: self._sent == self._BATCHES)

    def _send(self) -> None:
        for _ in range(self._BATCHES):
            self.put.send(10_000)
            self._sent += 1
