"""The stand-in's doors: gRPC in clear, with TLS and with certificates on both sides."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import grpc

from tests.support.standin.calls import BEGUN, DONE, SIZE, Call, Calls
from tests.support.standin.certificates import Certificates
from tests.support.standin.contract import COMPLETED, TaskStatusRequest, TaskStatusResponse
from tests.support.standin.proxy import Proxy
from tests.support.standin.scenarios import SCENARIOS, Ended, Stage

LOOK_SECONDS: Final = 10.0
"""How long a look at a call waits for its end."""


class StandIn:
    """A server that runs until it is closed."""

    def __init__(self, certificates: Certificates) -> None:
        self._calls = Calls()
        self._server = grpc.server(
            ThreadPoolExecutor(32), options=[("grpc.max_receive_message_length", 64 << 20)]
        )
        self._server.add_registered_method_handlers("export.ExportService", self._handlers())
        self._server.add_registered_method_handlers("standin.Control", self._controls())
        local = "127.0.0.1:0"
        self._proxy = Proxy(self._server.add_insecure_port(local))
        self.addresses = {
            "plain": f"127.0.0.1:{self._proxy.port}",
            "tls": f"localhost:{self._server.add_secure_port(local, certificates.server())}",
            "mutual": f"localhost:{self._server.add_secure_port(local, certificates.mutual())}",
        }
        self._server.start()

    def close(self) -> None:
        """End all calls."""
        self._proxy.close()
        self._server.stop(None).wait()

    def _handlers(self) -> dict[str, grpc.RpcMethodHandler]:
        # As a stream of answers, so that there may be none.
        return {
            "StreamExport": grpc.stream_stream_rpc_method_handler(self._export),
            "QueryTaskStatus": grpc.unary_unary_rpc_method_handler(self._status),
        }

    def _controls(self) -> dict[str, grpc.RpcMethodHandler]:
        return {"Seen": grpc.unary_unary_rpc_method_handler(self._seen)}

    def _export(self, requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        headers = {item.key: str(item.value) for item in context.invocation_metadata()}
        call = self._calls.add(headers, context.time_remaining())
        try:
            assert call.take(next(requests)) == "metadata"
            scenario = SCENARIOS[headers.get("x-scenario", "well")]
            yield from scenario(Stage(call, context, self._proxy.cut), requests)
        except Ended as ended:
            context.abort(ended.status, ended.message)
        except grpc.RpcError:
            call.cancelled = True
            call.half_closed = False
        finally:
            call.cancelled |= not context.is_active()
            call.over.set()

    def _status(self, body: bytes, context: grpc.ServicerContext) -> bytes:
        task_id = TaskStatusRequest.FromString(body).task_id
        call = self._calls.find(task_id) if task_id else None
        if call is None:
            context.abort(grpc.StatusCode.NOT_FOUND, f"TASK_NOT_FOUND: no task {task_id}")
        encoded: bytes = TaskStatusResponse(**_told(call)).SerializeToString()
        return encoded

    def _seen(self, body: bytes, context: grpc.ServicerContext) -> bytes:
        """What came of a call, once it has ended; of the last one for an empty id."""
        call = self._calls.find(body.decode())
        if call is None or not call.over.wait(LOOK_SECONDS):
            context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "the call has not ended")
        headers = {item.key: str(item.value) for item in context.invocation_metadata()}
        return json.dumps({**call.seen(), "own_headers": headers}).encode()


def _told(call: Call) -> dict[str, Any]:
    state = call.state()
    done = state["status"] == COMPLETED
    return {
        "task_id": call.task_id,
        "format": call.format,
        "filename": call.filename,
        "records_processed": call.rows,
        "progress_percent": 100.0 if done else 12.5,
        "oss_url": f"http://files.example/{call.task_id}" if done else "",
        "file_size_bytes": SIZE if done else 0,
        "start_time": BEGUN,
        "completion_time": DONE if done else 0,
        "estimated_time_remaining": 0 if done else 42,
        **state,
    }
