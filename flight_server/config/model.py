"""The tree, and the list of its keys."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Self

from pydantic import Field, model_validator

from flight_server.config import document, rules, store_rules
from flight_server.config.basics import Section
from flight_server.config.faults import BrokenRulesError
from flight_server.config.kinds import Kind
from flight_server.config.limits_section import LimitsSection
from flight_server.config.oss_section import OssSection
from flight_server.config.sections import (
    ConcurrencySection,
    CsvSection,
    FlightSection,
    LoggingSection,
    MonitoringSection,
    PerformanceSection,
    SecuritySection,
    ServerSection,
    StateSection,
    StorageSection,
    XlsxSection,
)
from flight_server.config.store_sections import AzureSection, GcsSection, S3Section


class Config(Section):
    """The configuration of one server. Frozen; its rules hold however it was made.

    Raises:
        pydantic.ValidationError: a key is unknown, a value is not allowed, or a rule is broken.

    """

    server: ServerSection = Field(default_factory=ServerSection)
    flight: FlightSection = Field(default_factory=FlightSection)
    concurrency: ConcurrencySection = Field(default_factory=ConcurrencySection)
    performance: PerformanceSection = Field(default_factory=PerformanceSection)
    limits: LimitsSection = Field(default_factory=LimitsSection)
    csv: CsvSection = Field(default_factory=CsvSection)
    xlsx: XlsxSection = Field(default_factory=XlsxSection)
    storage: StorageSection = Field(default_factory=StorageSection)
    oss: OssSection = Field(default_factory=OssSection)
    s3: S3Section = Field(default_factory=S3Section)
    gcs: GcsSection = Field(default_factory=GcsSection)
    azure: AzureSection = Field(default_factory=AzureSection)
    state: StateSection = Field(default_factory=StateSection)
    security: SecuritySection = Field(default_factory=SecuritySection)
    logging: LoggingSection = Field(default_factory=LoggingSection)
    monitoring: MonitoringSection = Field(default_factory=MonitoringSection)

    @model_validator(mode="after")
    def _obey_rules(self) -> Self:
        broken = (
            *rules.faults(
                self.server, self.security, self.monitoring, self.storage, self.oss, self.state
            ),
            *store_rules.faults(self.storage.backend, self.s3, self.gcs, self.azure),
        )
        if broken:
            raise BrokenRulesError(broken)
        return self

    def to_yaml(self) -> str:
        """Write every key with the value in effect, in the form of the file, secrets masked."""
        return document.render(self.model_dump(mode="json"))


@dataclass(frozen=True)
class Key:
    """A key of the tree."""

    name: str
    """Dotted: `storage.local.retention`."""
    kind: Kind[Any]
    default: Any
    description: str

    @property
    def default_text(self) -> str:
        """The default as it stands in YAML."""
        return document.scalar(self.kind.write(self.default))


def _walk(section: type[Section], prefix: str = "") -> Iterator[str | Key]:
    """Name the sections and list the keys below `section`, each section before its keys."""
    for name, field in section.model_fields.items():
        dotted = f"{prefix}{name}"
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield dotted
            yield from _walk(field.annotation, f"{dotted}.")
        else:
            kind = next(item for item in field.metadata if isinstance(item, Kind))
            yield Key(dotted, kind, field.default, field.description or "")


_NODES: Final = tuple(_walk(Config))

SECTIONS: Final = tuple(node for node in _NODES if isinstance(node, str))
"""Dotted names of the sections, in order."""

KEYS: Final[Mapping[str, Key]] = MappingProxyType(
    {node.name: node for node in _NODES if isinstance(node, Key)}
)
"""Every key by its dotted name, in order."""
