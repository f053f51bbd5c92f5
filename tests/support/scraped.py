"""What a scrape of /metrics says, name by name."""

import re
from dataclasses import dataclass, field
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

_BOUND: Final = "le"


@dataclass
class Family:
    """One metric: what it is, and which values its labels have."""

    name: str
    """As queries name it: a counter's with its `_total`."""
    kind: str
    meaning: str
    labels: dict[str, set[str]] = field(default_factory=dict)
    """But for the bounds of buckets."""

    @property
    def series(self) -> dict[str, set[str]]:
        """The names that queries may use, each with its labels."""
        names = {*self.labels}
        if self.kind != "histogram":
            return {self.name: names}
        return {
            f"{self.name}_bucket": names | {_BOUND},
            f"{self.name}_sum": names,
            f"{self.name}_count": names,
        }


def scraped(text: str) -> dict[str, Family]:
    """Every metric of an exposition in Prometheus's text format, by name."""
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    meanings = dict(re.findall(r"^# HELP (\S+) (.+)$", text, re.MULTILINE))
    assert kinds.keys() == meanings.keys()
    found = {name: Family(name, kind, meanings[name]) for name, kind in kinds.items()}
    for family in text_string_to_metric_families(text):
        counter = family.type == "counter"
        known = found[f"{family.name}_total" if counter else family.name]
        for sample in family.samples:
            for label, value in sample.labels.items():
                if label != _BOUND:
                    known.labels.setdefault(label, set()).add(value)
    return found
