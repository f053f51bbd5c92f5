"""The HTTP door for machines that run the service: health and metrics."""

from http import HTTPStatus

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from flight_server.health import Health
from flight_server.metrics import Metrics
from flight_server.transports.http_errors import exception_handlers

_FRESH = {"Cache-Control": "no-store"}


def create_ops_app(health: Health, metrics: Metrics) -> Starlette:
    """The application to serve on `monitoring.metrics_port`."""

    async def live(_: Request) -> Response:
        # Also while draining: a restart would lose the exports that are being finished.
        return JSONResponse({"status": "live"}, headers=_FRESH)

    async def ready(_: Request) -> Response:
        report = await run_in_threadpool(health.report)
        status = HTTPStatus.OK if report.ready else HTTPStatus.SERVICE_UNAVAILABLE
        return JSONResponse(report.as_dict(), status, _FRESH)

    async def scrape(request: Request) -> Response:
        # In a thread: gauges ask disks and the task manager.
        body, content_type = await run_in_threadpool(
            metrics.exposition, request.headers.get("accept", "")
        )
        return Response(body, headers={"Content-Type": content_type, **_FRESH})

    return Starlette(
        routes=[
            Route("/health/live", live, methods=["GET"]),
            Route("/health/ready", ready, methods=["GET"]),
            Route("/metrics", scrape, methods=["GET"]),
        ],
        exception_handlers=exception_handlers(),
    )
