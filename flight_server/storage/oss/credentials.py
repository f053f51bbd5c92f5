"""Who we are to OSS."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from oss2.credentials import (
    CredentialsProvider,
    EcsRamRoleCredentialsFetcher,
    EnvironmentVariableCredentialsProvider,
    StaticCredentialsProvider,
)

from flight_server.config import Credentials
from flight_server.logs import Event, get_logger
from flight_server.storage.oss.settings import OssSettings

_METADATA: Final = "http://100.100.100.200/latest/meta-data/ram/security-credentials/"
"""Where a machine of Alibaba Cloud asks for the keys of its role."""

_log = get_logger("storage")


def provider_of(settings: OssSettings) -> CredentialsProvider:
    """Where oss2 asks for the keys, before each request."""
    match settings.credentials:
        case Credentials.STATIC:
            return StaticCredentialsProvider(
                settings.access_key_id.strip(),
                settings.access_key_secret.strip(),
                settings.security_token.strip(),
            )
        case Credentials.ENVIRONMENT:
            return EnvironmentVariableCredentialsProvider()
        case Credentials.ECS_RAM_ROLE:
            return RoleProvider(EcsRamRoleCredentialsFetcher(_METADATA + settings.ecs_role).fetch)


class RoleProvider(CredentialsProvider):  # type: ignore[misc]  # oss2 has no types
    """Keys that end and are renewed before they do, by a thread of their own.

    oss2's provider asks for new ones in the middle of a request, and of the signing of a link,
    which must not wait for any network. This one does so only where it has none that hold.
    """

    def __init__(self, fetch: Callable[[], Any]) -> None:
        self._fetch = fetch
        self._lock = threading.Lock()
        self._current: Any = None
        self._renewing = threading.Lock()

    def get_credentials(self) -> Any:
        """The keys as they are now. Raises oss2's ClientError where there are none."""
        current = self._current
        if current is None or _seconds_left(current) <= 0:
            return self._fetched(current)
        if current.will_soon_expire() and self._renewing.acquire(blocking=False):
            threading.Thread(target=self._renew, name="oss-role", daemon=True).start()
        return current

    def forget(self) -> None:
        """Ask for other keys before the next request: OSS has refused these."""
        self._current = None

    @property
    def expires_at(self) -> datetime | None:
        """When what is signed now ends to hold."""
        current = self._current
        return None if current is None else datetime.fromtimestamp(current.expiration, UTC)

    def _fetched(self, ended: Any) -> Any:
        """Other keys than those that have ended, asked for once however many threads wait."""
        with self._lock:
            found = self._current
            if found is None or found is ended:
                found = self._current = self._fetch()
            return found

    def _renew(self) -> None:
        try:
            self._current = self._fetch()
        except Exception as error:  # noqa: BLE001 - asked again with the next request
            _log.warning(Event.SystemError, "the keys of the role cannot be renewed", error=error)
        finally:
            self._renewing.release()


def _seconds_left(credentials: Any) -> float:
    return float(credentials.expiration) - datetime.now(UTC).timestamp()
