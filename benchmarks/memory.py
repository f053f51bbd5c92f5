"""The server's memory during one export, above what it has while it idles."""

import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.cases import FormatName, Plan
from benchmarks.measure import Say, run_worker
from benchmarks.server import running_server

_SAMPLE_SECONDS: Final = 0.02

_RESET_PEAK: Final = "5"
"""Written to `clear_refs` it sets VmHWM to the present size (man 5 proc)."""


@dataclass(frozen=True)
class MemoryUse:
    """Resident memory of a server in bytes, around one export."""

    format: FormatName
    rows: int
    seconds: float
    idle: int
    sampled_peak: int
    kernel_peak: int
    after: int

    @property
    def above_idle(self) -> int:
        """The peak above the idle level, by whichever of the two saw more."""
        return max(self.sampled_peak, self.kernel_peak) - self.idle


def measure_memory(plan: Plan, say: Say) -> list[MemoryUse]:
    """Short and long exports of each format, each on a fresh server."""
    uses = []
    for format_name in plan.memory_formats:
        for rows in plan.memory_rows:
            use = _measure(format_name, rows, plan.settle_seconds)
            say(f"memory   {format_name:<5}{rows:>12,} rows {use.above_idle / 1e6:>8.1f} MB")
            uses.append(use)
    return uses


def _measure(format_name: FormatName, rows: int, settle: float) -> MemoryUse:
    with running_server() as server:
        time.sleep(settle)
        idle = _memory(server.pid, "VmRSS")
        Path(f"/proc/{server.pid}/clear_refs").write_text(_RESET_PEAK)
        with _Sampler(server.pid) as sampler:
            answer = run_worker("stream", server.flight, format_name, rows)
        kernel_peak = _memory(server.pid, "VmHWM")
        time.sleep(settle)
        after = _memory(server.pid, "VmRSS")
    return MemoryUse(
        format_name, answer["rows"], answer["seconds"], idle, sampler.peak, kernel_peak, after
    )


def _memory(pid: int, key: str) -> int:
    """A line of the process's status in bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        name, _colon, value = line.partition(":")
        if name == key:
            return int(value.split()[0]) * 1024
    raise ProcessLookupError(f"process {pid} has no {key}")


class _Sampler:
    """Looks at a process every 20 ms while the block runs."""

    def __init__(self, pid: int) -> None:
        self.peak = 0
        self._pid = pid
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> "_Sampler":
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._done.set()
        self._thread.join()

    def _sample(self) -> None:
        while True:
            self.peak = max(self.peak, _memory(self._pid, "VmRSS"))
            if self._done.wait(_SAMPLE_SECONDS):
                return
