"""Metrics of the process and of the machine that it runs on."""

import shutil
from collections.abc import Callable, Iterable
from math import nan
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from flight_server.inquiry import Inquiry
from flight_server.metrics.memory import memory_limit, resident_bytes

ANSWER_WITHIN: Final = 1.0
"""Seconds that a scrape waits for the disks: a network file system may hang."""


class HostMetrics:
    """Memory and disks, looked at when somebody scrapes."""

    def __init__(self, registry: CollectorRegistry) -> None:
        memory = Gauge(
            "export_memory_usage_bytes", "Resident memory of the process", registry=registry
        )
        memory.set_function(resident_bytes)
        limit = Gauge(
            "export_memory_limit_bytes",
            "Memory that the process may have: of its container, or of the machine",
            registry=registry,
        )
        limit.set_function(memory_limit)
        self._blocks = Gauge(
            "export_block_memory_bytes",
            "Bytes of blocks that are being formatted, of performance.memory_budget",
            registry=registry,
        )
        self._disks = _Disks(registry)

    def watch_blocks(self, in_flight: Callable[[], int]) -> None:
        """Ask at every scrape how many bytes of blocks are in flight."""
        self._blocks.set_function(in_flight)

    def watch_disk(self, name: str, directory: Path) -> None:
        """Show the file system of `directory` under the label `name`, which is no path."""
        self._disks.add(name, directory)


class _Disks(Collector):
    """Bytes used and free on the file systems of directories, NaN where one does not answer.

    One lost disk must not end the scrape, and one that hangs must not hold it up.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._inquiries: dict[str, Inquiry[tuple[float, float]]] = {}
        registry.register(self)

    def add(self, name: str, directory: Path) -> None:
        self._inquiries[name] = Inquiry(lambda: _usage(directory))

    def collect(self) -> Iterable[Metric]:
        used, free = _family("used"), _family("free")
        inquiries = tuple(self._inquiries.items())
        for _, inquiry in inquiries:
            inquiry.begin()
        for name, inquiry in inquiries:
            inquiry.wait(ANSWER_WITHIN)
            answer = (nan, nan) if inquiry.waiting else inquiry.answer or (nan, nan)
            used.add_metric([name], answer[0])
            free.add_metric([name], answer[1])
        yield used
        yield free


def _family(what: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(
        f"export_disk_{what}_bytes",
        f"Bytes {what} on the file system of a directory",
        labels=["directory"],
    )


def _usage(directory: Path) -> tuple[float, float]:
    try:
        usage = shutil.disk_usage(directory)
    except OSError:
        return nan, nan
    return usage.used, usage.free
