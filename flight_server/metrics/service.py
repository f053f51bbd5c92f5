"""Metrics of the service as a whole: what it is, and whether it is well."""

import platform
from collections.abc import Callable, Mapping
from importlib.metadata import version

from prometheus_client import CollectorRegistry, Gauge, Info

from flight_server.metrics.asked import AskedGauges


class ServiceMetrics:
    """Its build, and its health as it was last found."""

    def __init__(self, registry: CollectorRegistry) -> None:
        build = Info("export_build", "The version of the service and of Python", registry=registry)
        build.info({"version": version("export-middleware"), "python": platform.python_version()})
        self._ready = Gauge(
            "export_ready", "1 where new exports are welcome, else 0", registry=registry
        )
        self._components = AskedGauges(
            "export_component_up",
            "1 where a component passed its last check, else 0",
            "component",
            registry,
        )

    def watch(
        self, ready: Callable[[], bool], components: Callable[[], Mapping[str, bool]]
    ) -> None:
        """Ask these at every scrape; they must know without looking."""
        self._ready.set_function(ready)
        self._components.ask = components
