"""A server's memory goes back to its idle level, however many exports it has made."""

import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import httpx

from flight_server.transports import export_pb2 as pb
from tests.support import grpc_client
from tests.support.exports import Put, batch
from tests.support.process import Served, served
from tests.support.site import Site
from tests.support.waiting import wait_for

ROWS = 20_000
AT_ONCE = 8

KEPT = 40_000_000
"""Bytes that the first exports may add for good: libraries load parts of theirs when first used."""

GROWTH = 20_000_000
"""Bytes by which the idle memory after 200 exports may exceed that after the first ten."""

LOOKS = 50
"""In a row that find no less memory: what is given back by and by has been."""


@dataclass(frozen=True)
class Crowd:
    """Exports in CSV and Excel, every third one over gRPC."""

    server: Served
    client: grpc_client.Client

    def export(self, numbers: Iterable[int]) -> None:
        """All of them, several at once."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            assert set(pool.map(self._export, numbers)) == {ROWS}

    def _export(self, number: int) -> int:
        extension = ("csv", "xlsx")[number % 2]
        return self._over_flight(extension) if number % 3 else self._over_grpc(extension)

    def _over_flight(self, extension: str) -> int:
        put = Put.opened(self.server.client, filename=f"a.{extension}")
        put.send_batch(self._rows)
        put.commit()
        return int(put.result()["rows"])

    def _over_grpc(self, extension: str) -> int:
        kind = {"csv": pb.FORMAT_CSV, "xlsx": pb.FORMAT_EXCEL}[extension]
        first = grpc_client.metadata(kind=kind, filename=f"a.{extension}")
        return int(self.client.export(first, *[self._message] * (ROWS // 1_000)).record_count)

    @cached_property
    def _rows(self) -> object:
        return batch(ROWS)

    @cached_property
    def _message(self) -> pb.ExportRequest:
        return grpc_client.batch((str(number), f"name {number}") for number in range(1_000))


def resident(server: Served) -> int:
    """Bytes, as the metric has them."""
    exposed = httpx.get(f"{server.addresses['ops']}/metrics").text
    found = re.search(r"^export_memory_usage_bytes (\S+)$", exposed, re.MULTILINE)
    assert found is not None
    return int(float(found[1]))


def settled(server: Served) -> int:
    """The idle memory."""
    lowest, looks = resident(server), 0

    def look() -> bool:
        nonlocal lowest, looks
        now = resident(server)
        looks = looks + 1 if now >= lowest else 0
        lowest = min(lowest, now)
        return looks >= LOOKS

    wait_for(look, timeout=60)
    return lowest


def test_what_exports_take_is_given_back_and_two_hundred_leave_no_more_than_ten(
    site: Site,
) -> None:
    with served(site) as server, grpc_client.Client(server.grpc) as client:
        crowd = Crowd(server, client)
        idle = settled(server)
        crowd.export(range(10))
        after_ten = settled(server)
        assert after_ten < idle + KEPT
        crowd.export(range(10, 210))
        # The arenas give back what is free within seconds, not at once.
        wait_for(lambda: resident(server) < after_ten + GROWTH)
