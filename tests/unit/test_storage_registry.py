from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from flight_server.config import load_config
from flight_server.errors import ErrorCode, ServiceError
from flight_server.storage.local import LocalStorage
from flight_server.storage.memory import MemoryStorage
from flight_server.storage.registry import (
    ENTRY_POINT_GROUP,
    StorageContext,
    StorageRegistry,
    default_registry,
    open_memory,
    open_storage,
)


@pytest.fixture
def context(tmp_path: Path) -> StorageContext:
    return configured(tmp_path, "local")


def configured(tmp_path: Path, backend: str) -> StorageContext:
    settings = [
        f"storage.backend={backend}",
        f"storage.temp_directory={tmp_path / 'spool'}",
        f"storage.local.directory={tmp_path / 'files'}",
    ]
    config = load_config(None, environ={}, overrides=settings)
    return StorageContext(config, "http://127.0.0.1:9091", bytes(32))


def test_the_configuration_names_the_backend(tmp_path: Path) -> None:
    assert isinstance(open_storage(configured(tmp_path, "local")), LocalStorage)
    assert isinstance(open_storage(configured(tmp_path, "memory")), MemoryStorage)


def test_local_storage_uses_the_directories_of_the_configuration(
    context: StorageContext, tmp_path: Path
) -> None:
    open_storage(context)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["files", "spool"]


def test_the_backends_of_this_package_are_offered() -> None:
    assert {"local", "memory"} <= set(default_registry().names)


def test_an_unknown_backend_is_refused_with_the_choices(context: StorageContext) -> None:
    registry = StorageRegistry()
    registry.register("memory", open_memory)
    with pytest.raises(ServiceError, match="'tape'; available: memory") as caught:
        registry.open("tape", context)
    assert caught.value.code is ErrorCode.STORAGE_ERROR


def test_a_name_is_given_once() -> None:
    registry = StorageRegistry()
    registry.register("memory", open_memory)
    with pytest.raises(ValueError, match="'memory' is registered twice"):
        registry.register("memory", open_memory)


def test_an_installed_package_adds_its_backend(context: StorageContext) -> None:
    registry = StorageRegistry()
    point = EntryPoint("tape", "flight_server.storage.registry:open_memory", ENTRY_POINT_GROUP)
    registry.discover([point])
    assert isinstance(registry.open("tape", context), MemoryStorage)


def test_an_installed_package_cannot_take_a_name_of_ours() -> None:
    registry = StorageRegistry()
    registry.register("local", open_memory)
    with pytest.raises(ValueError, match="'local' is registered twice"):
        registry.discover([EntryPoint("local", "evil:factory", ENTRY_POINT_GROUP)])


def test_a_package_that_nobody_uses_is_not_imported() -> None:
    registry = StorageRegistry()
    registry.discover([EntryPoint("tape", "no_such_package:factory", ENTRY_POINT_GROUP)])
    assert registry.names == ["tape"]
