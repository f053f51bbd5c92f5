"""Metrics whose values somebody else keeps: they are asked for when somebody scrapes."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


class AskedCounter(Collector):
    """A counter that is 0 until it is told whom to `ask`."""

    def __init__(self, name: str, meaning: str, registry: CollectorRegistry) -> None:
        self._name: Final = name
        self._meaning: Final = meaning
        self.ask: Callable[[], int] = int
        registry.register(self)

    def collect(self) -> Iterable[Metric]:
        """Ask for the value."""
        yield CounterMetricFamily(self._name, self._meaning, value=self.ask())


class AskedGauges(Collector):
    """A gauge for each name of a mapping, in the label `label`; none until it knows whom to `ask`.

    The names are ours: nobody from outside can make one.
    """

    def __init__(self, name: str, meaning: str, label: str, registry: CollectorRegistry) -> None:
        self._name: Final = name
        self._meaning: Final = meaning
        self._label: Final = label
        self.ask: Callable[[], Mapping[str, float]] = dict
        registry.register(self)

    def collect(self) -> Iterable[Metric]:
        """Ask for the values."""
        family = GaugeMetricFamily(self._name, self._meaning, labels=[self._label])
        for name, value in self.ask().items():
            family.add_metric([name], value)
        yield family
