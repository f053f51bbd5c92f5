"""One Flight connection: calls with the token, answers as JSON, errors as `ExportError`."""

import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.flight as fl

from export_client.errors import ExportError, wire_errors


class Connection:
    """A channel to one server; safe to use from several threads.

    `timeout` (seconds, None for no limit) bounds each question, not the streams of exports and
    downloads, which take as long as their data.

    Raises:
        ValueError: `url` is no Flight address. Nothing connects before the first call.

    """

    def __init__(self, url: str, token: str | None, timeout: float | None) -> None:
        self.url = url
        self._headers = [(b"authorization", f"Bearer {token}".encode())] if token else []
        self._question = self._options(timeout)
        try:
            self._client = fl.FlightClient(url)
        except pa.ArrowException as error:
            raise ValueError(
                f"url {url!r} is not an address of a Flight server; "
                "write grpc://host:port, or grpc+tls://host:port for TLS"
            ) from error

    def _options(self, timeout: float | None) -> fl.FlightCallOptions:
        return fl.FlightCallOptions(timeout=timeout, headers=self._headers)

    def ask(self, action: str, body: Mapping[str, Any], *, timeout: float | None = None) -> Any:
        """The one result of an action; `timeout` in place of the connection's."""
        results = self.ask_all(action, body, timeout=timeout)
        if len(results) != 1:
            message = f"the server gave {len(results)} results for {action!r} instead of one"
            raise ExportError("INTERNAL", message)
        return results[0]

    def ask_all(
        self, action: str, body: Mapping[str, Any], *, timeout: float | None = None
    ) -> list[Any]:
        """All results of an action."""
        options = self._question if timeout is None else self._options(timeout)
        call = fl.Action(action, json.dumps(body).encode())
        with wire_errors(self.url, task_id=body.get("task_id")):
            return [json.loads(r.body.to_pybytes()) for r in self._client.do_action(call, options)]

    def put(
        self, command: bytes, schema: pa.Schema
    ) -> tuple[fl.FlightStreamWriter, fl.FlightMetadataReader]:
        """Open `do_put`."""
        descriptor = fl.FlightDescriptor.for_command(command)
        with wire_errors(self.url):
            writer, reader = self._client.do_put(descriptor, schema, self._options(None))
        return writer, reader

    def get(self, task_id: str) -> fl.FlightStreamReader:
        """Open `do_get` of the ticket of a finished export."""
        descriptor = fl.FlightDescriptor.for_path(task_id)
        with wire_errors(self.url, task_id=task_id):
            info = self._client.get_flight_info(descriptor, self._question)
            ticket = next((e.ticket for e in info.endpoints if e.ticket.ticket), None)
            if ticket is None:
                message = f"the file of {task_id} is not served here; use its url"
                raise ExportError("NOT_DOWNLOADABLE", message, False, task_id)
            return self._client.do_get(ticket, self._options(None))

    def close(self) -> None:
        """Give the channel up."""
        self._client.close()
