"""The calls of the HTTP door, as the log knows them."""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from flight_server.logs import calling


class LoggedCalls:
    """Has what is logged while `app` answers a request carry the ids of its call."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        with calling(Headers(scope=scope).get("traceparent")):
            await self._app(scope, receive, send)
