"""The storages over obstore, at a test server and with hardly a wait between attempts."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from flight_server.config import Config, load_config
from flight_server.storage.object_store.clouds import cloud_of
from flight_server.storage.object_store.settings import StoreSettings, Times
from flight_server.storage.object_store.storage import ObjectStorage
from flight_server.storage.patience import Patience
from tests.support.oss_storage import no_wait
from tests.support.seaweed import ACCESS_KEY, BUCKET, SECRET

TEMP_RETENTION = timedelta(hours=1)

FAST = Times(
    timedelta(seconds=5),
    timedelta(seconds=2),
    max_retries=2,
    retrying=timedelta(seconds=10),
    first_wait=timedelta(milliseconds=1),
    longest_wait=timedelta(milliseconds=5),
)


def s3_overrides(endpoint: str, **changes: str) -> list[str]:
    """The configuration of `s3` at a server of ours."""
    keys = {
        "endpoint": endpoint,
        "bucket": BUCKET,
        "access_key_id": ACCESS_KEY,
        "secret_access_key": SECRET,
    }
    return ["storage.backend=s3", *(f"s3.{key}={value}" for key, value in (keys | changes).items())]


def object_storage(overrides: list[str], directory: Path, **changes: Any) -> ObjectStorage:
    """A storage whose spools are in `directory`; `changes` are those of its settings."""
    config = load_config(None, environ={}, overrides=overrides)
    return ObjectStorage(
        cloud_of(config.storage.backend, config),
        settings_of(config, **changes),
        directory,
        temp_retention=TEMP_RETENTION,
        min_free_bytes=0,
        patience=Patience(2, 60, wait=no_wait),
    )


def settings_of(config: Config, **changes: Any) -> StoreSettings:
    """Those of the configuration, changed."""
    section = getattr(config, config.storage.backend)
    known = StoreSettings.of(section)
    fields = {name: getattr(known, name) for name in StoreSettings.__dataclass_fields__}
    return StoreSettings(**(fields | {"times": FAST} | changes))
