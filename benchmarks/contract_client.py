"""A client of the gRPC contract that costs as little as it can: its messages are encoded before."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import grpc
import pyarrow.compute as pc

from benchmarks.contract import COLUMNS
from benchmarks.data import batches
from flight_server.transports import export_pb2 as pb

BATCH_ROWS: Final = 1_000
"""As the original's documentation has it."""

_METHOD: Final = "/export.ExportService/{}"
_PAUSE: Final = 0.005
"""Seconds between an answer to a question for the status and the next question."""


def send(address: str, rows: int, streams: int) -> dict[str, Any]:
    """Send `rows` over so many streams at once, and ask for the status of the first meanwhile."""
    message = _batch().SerializeToString()
    share = max(1, rows // streams // BATCH_ROWS)
    status: list[float] = []
    over = threading.Event()
    with grpc.insecure_channel(address) as warm:
        _stream(warm, message, 1)
    channels = [grpc.insecure_channel(address, [("number", each)]) for each in range(streams)]
    asking = threading.Thread(target=_ask, args=(address, over, status))
    asking.start()
    began = time.perf_counter()
    with ThreadPoolExecutor(streams) as pool:
        answers = list(pool.map(lambda channel: _stream(channel, message, share), channels))
    seconds = time.perf_counter() - began
    over.set()
    asking.join()
    for channel in channels:
        channel.close()
    taken = sum(pb.ExportResponse.FromString(answer).record_count for answer in answers)
    if taken != share * BATCH_ROWS * streams:
        raise RuntimeError(f"{taken} rows were taken of {share * BATCH_ROWS * streams}")
    return {"rows": taken, "seconds": seconds, "status": status}


def _stream(channel: grpc.Channel, message: bytes, count: int) -> bytes:
    call = channel.stream_unary(_METHOD.format("StreamExport"))
    first = pb.ExportRequest(
        metadata=pb.ExportMetadata(
            request_id=f"bench-{time.perf_counter_ns()}-{threading.get_ident()}",
            format=pb.FORMAT_CSV,
            filename="bench.csv",
            columns=[
                pb.ColumnDefinition(name=f"c{place}", data_type=pb.DATA_TYPE_STRING)
                for place in range(COLUMNS)
            ],
        )
    )
    answer: bytes = call(iter([first.SerializeToString(), *[message] * count]))
    return answer


def _ask(address: str, over: threading.Event, status: list[float]) -> None:
    body = pb.TaskStatusRequest(task_id="0" * 32).SerializeToString()
    with grpc.insecure_channel(address) as channel:
        call = channel.unary_unary(_METHOD.format("QueryTaskStatus"))
        while not over.is_set():
            began = time.perf_counter()
            try:
                call(body, timeout=20)
            except grpc.RpcError as error:
                if error.code() is not grpc.StatusCode.NOT_FOUND:
                    raise
            status.append(time.perf_counter() - began)
            over.wait(_PAUSE)


def _batch() -> pb.ExportRequest:
    """Rows of the benchmark's table, every value as a text."""
    table = next(iter(batches(BATCH_ROWS)))
    columns = [pc.cast(column, "string").fill_null("").to_pylist() for column in table.columns]
    records = [pb.Record(values=row) for row in zip(*columns, strict=True)]
    return pb.ExportRequest(batch=pb.DataBatch(records=records))
