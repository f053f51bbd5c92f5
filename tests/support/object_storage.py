"""The storages over obstore, at a test server and with hardly a wait between attempts."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from flight_server.config import Config, load_config
from flight_server.storage.object_store.clouds import cloud_of
from flight_server.storage.object_store.settings import StoreSettings, Times
from flight_server.storage.object_store.storage import ObjectStorage
from flight_server.storage.patience import Patience
from tests.support.clouds.azure import AzureServer
from tests.support.clouds.azure_signatures import ACCOUNT, KEY
from tests.support.clouds.gcs import GcsServer
from tests.support.clouds.gcs_signatures import account, key_file
from tests.support.clouds.server import BUCKET as CONTAINER
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
    return _overrides("s3", keys | changes)


def gcs_overrides(server: GcsServer, directory: Path, **changes: str) -> list[str]:
    """The configuration of `gcs` at a server of ours; the key of its account is in `directory`."""
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / "service-account.json"
    file.write_text(key_file(account()))
    keys = {"endpoint": server.endpoint, "bucket": CONTAINER, "service_account": str(file)}
    return _overrides("gcs", keys | changes)


def azure_overrides(server: AzureServer, **changes: str) -> list[str]:
    """The configuration of `azure` at a server of ours."""
    keys = {
        "endpoint": server.endpoint,
        "account": ACCOUNT,
        "container": CONTAINER,
        "account_key": KEY,
    }
    return _overrides("azure", keys | changes)


def _overrides(section: str, keys: dict[str, str]) -> list[str]:
    return [f"storage.backend={section}", *(f"{section}.{key}={keys[key]}" for key in keys)]


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
