"""A server of the gRPC contract as row-based ones are: an object for each row, then csv.writer.

python -m benchmarks.rows_server DIRECTORY   prints its address; ends with its stdin
"""

import contextlib
import csv
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import grpc

from benchmarks.server import ServerFailed
from flight_server.transports import export_pb2 as pb

ROOT: Final = Path(__file__).parent.parent
STOP_SECONDS: Final = 10.0
CALLS: Final = 16


@contextlib.contextmanager
def running_rows_server() -> Iterator[str]:
    """The address of a fresh one. Raises `ServerFailed` when it does not start."""
    with tempfile.TemporaryDirectory(prefix="export-rows-") as directory:
        command = [sys.executable, "-m", "benchmarks.rows_server", directory]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        with subprocess.Popen(command, text=True, cwd=ROOT, process_group=0, **pipes) as process:
            try:
                address = process.stdout.readline().strip() if process.stdout else ""
                if not address:
                    raise ServerFailed("the row-based server did not start")
                yield address
            finally:
                if process.stdin:
                    process.stdin.close()
                try:
                    process.wait(STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    process.kill()


def main(directory: str) -> None:
    """Serve until standard input ends."""

    def stream_export(requests: Iterator[pb.ExportRequest], _context: Any) -> pb.ExportResponse:
        path, rows = Path(directory) / f"{uuid.uuid4().hex}.csv", 0
        with path.open("w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            for request in requests:
                for record in request.batch.records:
                    writer.writerow(record.values)
                    rows += 1
        path.unlink()
        return pb.ExportResponse(task_id="rows", record_count=rows)

    def query_status(_request: pb.TaskStatusRequest, _context: Any) -> pb.TaskStatusResponse:
        return pb.TaskStatusResponse(task_id="rows")

    server = grpc.server(ThreadPoolExecutor(CALLS))
    server.add_registered_method_handlers(
        "export.ExportService",
        {
            "StreamExport": grpc.stream_unary_rpc_method_handler(
                stream_export, pb.ExportRequest.FromString, pb.ExportResponse.SerializeToString
            ),
            "QueryTaskStatus": grpc.unary_unary_rpc_method_handler(
                query_status,
                pb.TaskStatusRequest.FromString,
                pb.TaskStatusResponse.SerializeToString,
            ),
        },
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(f"127.0.0.1:{port}", flush=True)
    sys.stdin.read()
    server.stop(None)


if __name__ == "__main__":
    main(*sys.argv[1:])
