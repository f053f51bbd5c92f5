"""A client of the original contract, made by grpc_tools from its .proto as deployed ones were."""

import importlib
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import grpc
from grpc_tools import protoc

from flight_server.transports import export_pb2 as pb

PROTO = Path(pb.__file__).parent / "export.proto"

Row = Sequence[str]


@cache
def stub_module() -> Any:
    """What grpc_tools makes of the contract: `export_pb2_grpc`."""
    made = tempfile.mkdtemp(prefix="export-proto-")
    arguments = ["", f"-I{PROTO.parent}", f"--python_out={made}", f"--grpc_python_out={made}"]
    assert protoc.main([*arguments, PROTO.name]) == 0
    sys.path.insert(0, made)
    try:
        return importlib.import_module("export_pb2_grpc")
    finally:
        sys.path.remove(made)


def column(name: str, kind: int = pb.DATA_TYPE_STRING, **more: Any) -> pb.ColumnDefinition:
    return pb.ColumnDefinition(name=name, data_type=kind, **more)


def metadata(
    *columns: pb.ColumnDefinition,
    filename: str = "orders.csv",
    request_id: str = "",
    kind: int = pb.FORMAT_CSV,
    **options: Any,
) -> pb.ExportRequest:
    """The first message; two text columns, `id` and `name`, unless others are given."""
    return pb.ExportRequest(
        metadata=pb.ExportMetadata(
            request_id=request_id or f"r-{next(_numbers)}",
            format=kind,
            filename=filename,
            columns=columns or (column("id"), column("name")),
            options=pb.FormatOptions(**options),
        )
    )


_numbers = iter(range(1_000_000_000))


def batch(rows: Iterable[Row], number: int = 0) -> pb.ExportRequest:
    """A later message."""
    records = [pb.Record(values=row) for row in rows]
    return pb.ExportRequest(batch=pb.DataBatch(records=records, batch_sequence=number))


class Client:
    """What the original's documentation shows: send, close, read the answer; then ask by id."""

    def __init__(self, address: str) -> None:
        options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
        self.channel = grpc.insecure_channel(address, options=options)
        self.stub = stub_module().ExportServiceStub(self.channel)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_left: object) -> None:
        self.channel.close()

    def begin(self, messages: Iterator[pb.ExportRequest], timeout: float = 60) -> Any:
        """A call that is under way."""
        return self.stub.StreamExport.future(messages, timeout=timeout)

    def export(self, *messages: pb.ExportRequest, **how: Any) -> Any:
        """The answer to a whole stream. Raises grpc.RpcError."""
        return self.stub.StreamExport(iter(messages), timeout=60, **how)

    def status(self, task_id: str) -> Any:
        """A task, by its id. Raises grpc.RpcError."""
        return self.stub.QueryTaskStatus(pb.TaskStatusRequest(task_id=task_id), timeout=20)


def task_id_of(call: Any) -> str:
    """The id in the initial metadata, as soon as they are there."""
    return dict(call.initial_metadata())["x-task-id"]


def refusal_of(call: Any) -> str:
    """The reason in the initial metadata."""
    return unquote(dict(call.initial_metadata())["x-error"])
