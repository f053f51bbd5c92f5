"""Server processes that come and go, and how a client finds one that is there."""

import json
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import httpx

from tests.support.process import end, serve_command, start
from tests.support.site import Site
from tests.support.waiting import wait_for

START_TIMEOUT = 60.0
"""Seconds; the machine may be busy."""


class Down(Exception):
    """No server is there now."""


@dataclass(frozen=True)
class Reached:
    """A server that had opened its doors when it was asked for."""

    flight: str
    http: str


class Member:
    """One server of a fleet: the process that runs now, after those that ran before."""

    def __init__(self, name: str, site: Site, overrides: Sequence[str]) -> None:
        self.name = name
        self.site = site
        self.reached: Reached | None = None
        """While its doors are open, as far as anybody knows."""
        self.pids: list[int] = []
        """Of its processes, the last one last."""
        self.is_there = False
        """Launched, and not ended."""
        self._overrides = overrides
        self._ready = site.root / "ready.json"
        self._process: subprocess.Popen[str] | None = None

    @property
    def process(self) -> subprocess.Popen[str]:
        assert self._process is not None, f"{self.name} was never launched"
        return self._process

    def launch(self) -> None:
        """Start a process, and wait for nothing."""
        self._ready.unlink(missing_ok=True)
        self.site.root.mkdir(exist_ok=True)
        self._process = start(serve_command(self.site, *self._overrides))
        self.pids.append(self._process.pid)
        self.is_there = True

    def wait_ready(self) -> Reached:
        """Its doors, once they are open and it says that it is ready."""
        wait_for(lambda: self._ready.exists() or self.process.poll() is not None, START_TIMEOUT)
        assert self.process.poll() is None, f"{self.name} ended: {self.process.communicate()}"
        said = json.loads(self._ready.read_text())
        wait_for(lambda: httpx.get(f"{said['ops']}/health/ready").status_code == 200)
        self.reached = Reached(said["flight"], said["http"])
        return self.reached

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def ended(self, timeout: float = 30) -> tuple[int, str]:
        """The exit code and what it said on standard error; it ends, or has been told to."""
        self.reached, self.is_there = None, False
        try:
            _, said = self.process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            self.signal(signal.SIGABRT)  # the stacks of its threads
            raise AssertionError(self.process.communicate(timeout=20)[1]) from None
        return self.process.returncode, said

    def close(self) -> None:
        """Kill what runs."""
        self.reached = None
        if self._process is not None:
            end(self._process)


class Fleet:
    """The servers that clients may ask; one is as good as another."""

    def __init__(self, members: Sequence[Member]) -> None:
        self.members = members

    @property
    def there(self) -> list[Member]:
        """Those whose processes run."""
        return [each for each in self.members if each.is_there]

    def pick(self, random: Random) -> Reached:
        """A server that is up. Raises Down."""
        up = [member.reached for member in self.members]
        there = [each for each in up if each is not None]
        if not there:
            raise Down
        return random.choice(there)

    def close(self) -> None:
        for member in self.members:
            member.close()
