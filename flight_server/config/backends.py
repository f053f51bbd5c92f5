"""Kind for the name of a storage: one of ours, or one that an installed package offers."""

from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Final

from flight_server.config.choices import Backend
from flight_server.config.kinds import Kind

STORAGE_ENTRY_POINTS: Final = "export_middleware.storage"
"""The group in which packages offer storages, see `flight_server.storage.registry`."""


def installed_backends() -> list[str]:
    """Names that installed packages offer, sorted; none of them is imported for it."""
    return sorted({point.name for point in entry_points(group=STORAGE_ENTRY_POINTS)})


@dataclass(frozen=True)
class BackendName(Kind[str]):
    """The name of a storage that there is; ours in any case, those of others as they write it."""

    allowed = f"{', '.join(Backend)}, or the name that an installed package gives to its own"

    def read(self, value: object) -> str:
        """Find the storage of that name; a `Backend` if it is one of ours."""
        name = value.strip() if isinstance(value, str) else ""
        if name.lower() in list(Backend):
            return Backend(name.lower())
        if name not in installed_backends():
            known = dict.fromkeys([*Backend, *installed_backends()])
            raise ValueError(f"is not available; available: {', '.join(known)}")
        return name
