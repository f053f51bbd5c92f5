"""Links that prove that this service made them, and until when they hold.

    {base}/files/{task_id}/{filename}?expires={Unix seconds}&signature={HMAC-SHA-256, hex}

Nothing is stored per link: whoever has the key can verify it, before any look-up.
"""

import hmac
import json
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

MIN_KEY_BYTES: Final = 32
"""RFC 2104: a key shorter than the hash weakens the signature."""

_PURPOSE: Final = "export-middleware file link 1"
"""Part of what is signed, so that no other use of the key ever yields a link."""


class LinkError(Exception):
    """A link cannot be honoured."""


class LinkInvalid(LinkError):
    """The link was not made by this service, or was changed since."""


class LinkExpired(LinkError):
    """The link is genuine and its time is over."""


class LinkSigner:
    """Makes and verifies links with one key of at least `MIN_KEY_BYTES` random bytes."""

    def __init__(self, key: bytes) -> None:
        if len(key) < MIN_KEY_BYTES:
            raise ValueError(f"the key has {len(key)} bytes; at least {MIN_KEY_BYTES} are needed")
        self._key = key

    def url(self, base_url: str, task_id: str, filename: str, expires_at: datetime) -> str:
        """The link under `base_url`; it holds up to and including the second of `expires_at`."""
        expires = str(int(expires_at.timestamp()))
        signature = self._signature(task_id, filename, expires)
        path = f"{quote(task_id, safe='')}/{quote(filename, safe='')}"
        return f"{base_url.rstrip('/')}/files/{path}?expires={expires}&signature={signature}"

    def verify(
        self, task_id: str, filename: str, *, expires: str, signature: str, now: datetime
    ) -> datetime:
        """When the link ends, given the parts of its URL after percent-decoding.

        The signature is compared in constant time, and before the expiry is looked at.

        Raises:
            LinkInvalid: a part is missing or differs from what was signed.
            LinkExpired: `now` is past the expiry of a genuine link.

        """
        expected = self._signature(task_id, filename, expires)
        given = signature.encode("utf-8", "surrogatepass")
        if not hmac.compare_digest(expected.encode(), given):
            raise LinkInvalid("the link is not valid; ask for a new one")
        # The text is genuine, hence a number that `url` wrote.
        expires_at = datetime.fromtimestamp(int(expires), UTC)
        if int(now.timestamp()) > int(expires):
            raise LinkExpired(f"the link expired at {expires_at:%Y-%m-%d %H:%M:%S} UTC")
        return expires_at

    def _signature(self, task_id: str, filename: str, expires: str) -> str:
        # JSON delimits and escapes its parts: two different links are never the same message.
        message = json.dumps([_PURPOSE, task_id, filename, expires]).encode("ascii")
        return hmac.digest(self._key, message, "sha256").hex()
