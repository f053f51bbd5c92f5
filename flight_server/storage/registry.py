"""Backend name -> storage. Third parties add theirs by an entry point.

[project.entry-points."export_middleware.storage"]
tape = "our_package.tape:open_tape"     # a StorageFactory
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Final, TypeAlias

from flight_server.config import Config
from flight_server.config.backends import STORAGE_ENTRY_POINTS
from flight_server.errors import ErrorCode, ServiceError
from flight_server.links import LinkSigner
from flight_server.storage.base import Storage
from flight_server.storage.local import LocalStorage
from flight_server.storage.memory import MemoryStorage

ENTRY_POINT_GROUP: Final = STORAGE_ENTRY_POINTS


@dataclass(frozen=True, slots=True)
class StorageContext:
    """What a backend is built from."""

    config: Config
    base_url: str
    """Of the HTTP door, as people reach it: `storage.local.public_url`, or what it is bound to."""
    signing_key: bytes
    """The installation's secret for links; see `LinkSigner`."""


StorageFactory: TypeAlias = Callable[[StorageContext], Storage]
"""Builds a backend, or raises ServiceError with a sentence for the operator."""


class StorageRegistry:
    """The backends of one process; a name is given once."""

    def __init__(self) -> None:
        self._loaders: dict[str, Callable[[], StorageFactory]] = {}

    def register(self, name: str, factory: StorageFactory) -> None:
        """Offer `factory` as `name`. Raises ValueError when the name is taken."""
        self._add(name, lambda: factory)

    def discover(self, found: Iterable[EntryPoint] | None = None) -> None:
        """Offer the backends of installed packages; each is imported when it is first opened.

        Raises:
            ValueError: two packages, or a package and this one, offer the same name.

        """
        for point in entry_points(group=ENTRY_POINT_GROUP) if found is None else found:
            self._add(point.name, point.load)

    @property
    def names(self) -> list[str]:
        """Every name, sorted."""
        return sorted(self._loaders)

    def open(self, name: str, context: StorageContext) -> Storage:
        """Build the backend `name`.

        Raises:
            ServiceError: STORAGE_ERROR, there is no such backend; or whatever its factory raises.

        """
        if name not in self._loaders:
            message = f"unknown storage.backend {name!r}; available: {', '.join(self.names)}"
            raise ServiceError(ErrorCode.STORAGE_ERROR, message)
        return self._loaders[name]()(context)

    def _add(self, name: str, load: Callable[[], StorageFactory]) -> None:
        if name in self._loaders:
            raise ValueError(f"the storage backend {name!r} is registered twice")
        self._loaders[name] = load


def default_registry() -> StorageRegistry:
    """The backends of this package and of every installed one."""
    registry = StorageRegistry()
    registry.register("local", open_local)
    registry.register("memory", open_memory)
    registry.register("oss", open_oss)
    for name in ("s3", "gcs", "azure"):
        registry.register(name, open_object_store)
    registry.discover()
    return registry


def open_storage(context: StorageContext) -> Storage:
    """The storage that `storage.backend` names. Raises ServiceError when it cannot be opened."""
    return default_registry().open(context.config.storage.backend, context)


def open_local(context: StorageContext) -> LocalStorage:
    """Files in `storage.local.directory`."""
    storage = context.config.storage
    return LocalStorage(
        storage.local.directory,
        storage.temp_directory,
        retention=storage.local.retention,
        temp_retention=storage.temp_retention,
        min_free_bytes=storage.min_free_bytes,
        base_url=context.base_url,
        signer=LinkSigner(context.signing_key),
    )


def open_memory(context: StorageContext) -> MemoryStorage:
    """Files in memory, for as long as local ones would be kept."""
    storage = context.config.storage
    return MemoryStorage(retention=storage.local.retention, temp_retention=storage.temp_retention)


def open_oss(context: StorageContext) -> Storage:
    """Objects in `oss.bucket`, tried out first."""
    # Here, because oss2 takes 0.3 s to import, and who keeps files on the disk has no need of it.
    from flight_server.storage.oss.settings import OssSettings
    from flight_server.storage.oss.storage import OssStorage

    storage = context.config.storage
    opened = OssStorage(
        OssSettings.of(context.config),
        storage.temp_directory,
        temp_retention=storage.temp_retention,
        min_free_bytes=storage.min_free_bytes,
        check_interval=context.config.monitoring.health_check_interval.total_seconds(),
    )
    opened.start()
    return opened


def open_object_store(context: StorageContext) -> Storage:
    """Objects in S3, Google Cloud Storage or Azure, as `storage.backend` says; tried out first."""
    # Here, as with oss2: obstore is 40 MB of code that few need.
    from flight_server.storage.object_store.clouds import cloud_of
    from flight_server.storage.object_store.settings import StoreSettings
    from flight_server.storage.object_store.storage import ObjectStorage

    config, storage = context.config, context.config.storage
    opened = ObjectStorage(
        cloud_of(storage.backend, config),
        StoreSettings.of(getattr(config, storage.backend)),
        storage.temp_directory,
        temp_retention=storage.temp_retention,
        min_free_bytes=storage.min_free_bytes,
        check_interval=config.monitoring.health_check_interval.total_seconds(),
    )
    opened.start()
    return opened
