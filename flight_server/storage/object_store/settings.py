"""What the configuration says of a store, in the form in which it is used."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

MAX_PARTS: Final = 10_000
"""Of an object, as S3 and Google allow; Azure has 50,000."""

_SLOWEST: Final = 64 * 1024
"""Bytes a second with which a part must at least go up; several share the line."""

_PATIENT: Final = 60.0
"""Seconds for a request without a body, and besides what its body takes."""

_RETRYING: Final = timedelta(minutes=4)
"""obstore signs a request once, however often it makes it: a signature holds a few minutes."""


@dataclass(frozen=True, slots=True)
class Times:
    """How long requests may take, and how often one is made, as obstore is told."""

    request: timedelta
    connect: timedelta = timedelta(seconds=10)
    max_retries: int = 3
    retrying: timedelta = _RETRYING
    first_wait: timedelta = timedelta(milliseconds=200)
    longest_wait: timedelta = timedelta(seconds=10)

    @property
    def client(self) -> dict[str, Any]:
        """Obstore's `ClientConfig`, but for the scheme."""
        return {"timeout": self.request, "connect_timeout": self.connect}

    @property
    def retry(self) -> dict[str, Any]:
        """Obstore's `RetryConfig`."""
        return {
            "max_retries": self.max_retries,
            "retry_timeout": self.retrying,
            "backoff": {"init_backoff": self.first_wait, "max_backoff": self.longest_wait},
        }


QUICK: Final = Times(timedelta(seconds=2), timedelta(seconds=2), 0, timedelta(seconds=2))
"""For a look whose answer is only nice to have."""


@dataclass(frozen=True, slots=True)
class Cloud:
    """One of the three, and where our files are in it."""

    name: str
    """`S3`, as it stands in sentences."""
    section: str
    """`s3`, of the configuration."""
    url: str
    """Of the bucket or container, with which plain links begin."""
    open: Callable[[Times], Any] = field(repr=False)
    """Makes a store of obstore."""
    sign: Callable[[Any, str, timedelta], str] = field(repr=False)
    """Makes a link to the object of a key, see `links`."""
    sentences: Mapping[str, str] = field(repr=False)
    """What codes of its errors mean, besides those that are the same for all."""
    attributes: Mapping[str, str] = field(default_factory=dict)
    """Of every new object."""
    link_host: str | None = None
    """Of links, where it is not that of `url`."""
    plain_names: bool = False
    """Whether only objects whose names are plain ASCII can have links."""
    open_at: Callable[[str], Any] | None = field(default=None, repr=False)
    """Makes a store of obstore at any URL, to sign it; where `unfinished` has a use for that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """Everything but the cloud and directories. Times are in seconds."""

    prefix: str = "{client}/{date}/{task_id}/{filename}"
    public: bool = False
    part_size: int = 10 * 1024**2
    parallel_parts: int = 5
    max_retries: int = 3
    upload_timeout: float = 1800.0
    link_lifetime: timedelta = timedelta(days=7)
    retention: timedelta | None = None
    read_back: bool = True
    times: Times | None = None
    """Those of requests, where they do not follow from the rest."""

    @property
    def request_times(self) -> Times:
        """How long requests may take: a part at the slowest rate, and no upload its whole time."""
        seconds = min(_PATIENT + self.part_size / _SLOWEST, self.upload_timeout)
        request = timedelta(seconds=seconds)
        retrying = min(_RETRYING, timedelta(seconds=self.upload_timeout))
        return self.times or Times(request, max_retries=self.max_retries, retrying=retrying)

    @classmethod
    def of(cls, section: Any) -> "StoreSettings":
        """The settings of a section of the configuration (`StoreSection`)."""
        return cls(
            prefix=section.prefix,
            public=section.public,
            part_size=section.part_size,
            parallel_parts=section.parallel_parts,
            max_retries=section.max_retries,
            upload_timeout=section.upload_timeout.total_seconds(),
            link_lifetime=section.signed_url_expiry,
            retention=section.retention,
            read_back=section.read_back,
        )


def part_size_for(size: int, least: int) -> int:
    """Bytes of each part of a file of `size` bytes, so that `MAX_PARTS` are enough."""
    return max(least, -(-size // MAX_PARTS))
