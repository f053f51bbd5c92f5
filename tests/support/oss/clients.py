"""`oss2` clients of a server, which leave nothing open.

oss2 does not read every answer, nor closes its sessions: their sockets would end whenever the
garbage collector comes by, with a ResourceWarning in the middle of another test.
"""

from typing import Any

import oss2
import requests
from requests.adapters import HTTPAdapter

from tests.support.oss.server import OssServer


class TidyAdapter(HTTPAdapter):
    """Closes the answers that nobody read, with itself."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._answers: list[requests.Response] = []

    def send(self, *args: Any, **options: Any) -> requests.Response:
        answer = super().send(*args, **options)
        self._answers.append(answer)
        return answer

    def close(self) -> None:
        for answer in self._answers:
            answer.close()
        super().close()


def connect(
    server: OssServer,
    version: str = "v4",
    *,
    bucket: str = "exports",
    key_id: str = "test-id",
    secret: str = "test-secret",
    token: str | None = None,
    region: str | None = "cn-hangzhou",
    timeout: float = 10,
) -> oss2.Bucket:
    """A client with signatures of `version`; it is closed when the server is."""
    if token is not None:
        auth = oss2.StsAuth(key_id, secret, token, auth_version=version)
    else:
        auth = oss2.make_auth(key_id, secret, version)
    session = oss2.Session(adapter=TidyAdapter(pool_maxsize=50))
    server.closing.callback(session.session.close)
    return oss2.Bucket(
        auth,
        server.endpoint,
        bucket,
        session=session,
        region=region,
        connect_timeout=timeout,
        is_path_style=True,
    )
