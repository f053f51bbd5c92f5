"""The storage `oss` over a test server, without a wait between attempts."""

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

from flight_server.config.objects import DEFAULT_TAGS
from flight_server.storage.oss.settings import OssSettings
from flight_server.storage.oss.storage import OssStorage
from flight_server.storage.patience import Patience
from tests.support.oss import OssServer

TEMP_RETENTION = timedelta(hours=1)


def no_wait(_seconds: float, _stopped: threading.Event) -> None:
    """What takes the place of the wait before another attempt."""


def oss_settings(server: OssServer, **changes: Any) -> OssSettings:
    """The settings for `server` as it is made by default."""
    settings: dict[str, Any] = {
        "endpoint": server.endpoint,
        "upload_endpoint": server.endpoint,
        "bucket": "exports",
        "region": "cn-hangzhou",
        "access_key_id": "test-id",
        "access_key_secret": "test-secret",
        "tags": DEFAULT_TAGS,
        "connect_timeout": 2.0,
        "read_timeout": 5.0,
    }
    return OssSettings(**(settings | changes))


def oss_storage(server: OssServer, directory: Path, **changes: Any) -> OssStorage:
    """A storage in `server`, whose spools are in `directory`."""
    settings = oss_settings(server, **changes)
    return OssStorage(
        settings,
        directory,
        temp_retention=TEMP_RETENTION,
        min_free_bytes=0,
        patience=Patience(settings.max_retries, settings.upload_timeout, wait=no_wait),
    )
