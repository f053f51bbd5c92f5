"""Kinds with a unit or a shape: durations, sizes, addresses.

Sizes count as the letters say: kB, MB are powers of 1000; KiB, MiB are powers of 1024.
"""

import ipaddress
import re
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Final
from urllib.parse import urlsplit

from flight_server.config.kinds import MASK, Kind, Plain

_MILLISECOND: Final = timedelta(milliseconds=1)
_DURATION_UNITS: Final = {
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
    "ms": _MILLISECOND,
}
_DURATION_PART: Final = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,6})?)(ms|[dhms])")
_DURATION: Final = re.compile(rf"(?:{_DURATION_PART.pattern})+")

_SIZE_UNITS: Final = {
    "b": 1,
    **{f"{letter}b": 1000**power for power, letter in enumerate("kmgtp", start=1)},
    **{f"{letter}ib": 1024**power for power, letter in enumerate("kmgtp", start=1)},
}
_SIZE: Final = re.compile(r"([0-9]{1,18})\s*([a-z]*)")
_BINARY_UNITS: Final = ("PiB", "TiB", "GiB", "MiB", "KiB")

_HOST_NAME: Final = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?:\.(?!-)[A-Za-z0-9-]{1,63})*")
_PASSWORDS: Final = (
    re.compile(r"^((?:[^:]*://)?[^:]*:).*(?=@)", re.DOTALL),
    re.compile(r"((?:^|[?&])(?:ssl)?password=)[^&]*", re.IGNORECASE),
)


def duration_text(value: timedelta) -> str:
    """Write `value` in the fewest units that hold it to the millisecond: 90 s is `1m30s`."""
    if not value:
        return "0s"
    parts = []
    for unit, length in _DURATION_UNITS.items():
        count, value = divmod(value, length)
        parts += [f"{count}{unit}"] if count else []
    return "".join(parts)


def size_text(value: int) -> str:
    """Write `value` in the largest binary unit that holds it as a whole number."""
    for unit in _BINARY_UNITS:
        count, rest = divmod(value, _SIZE_UNITS[unit.lower()])
        if count and not rest:
            return f"{count} {unit}"
    return f"{value} B"


@dataclass(frozen=True)
class Duration(Kind[timedelta]):
    """A length of time within bounds, both included; a unit is required."""

    minimum: timedelta
    maximum: timedelta

    @property
    def allowed(self) -> str:
        """The bounds and an example."""
        bounds = f"{duration_text(self.minimum)} to {duration_text(self.maximum)}"
        return f"{bounds}, written like 250ms, 30s, 1h30m or 7d"

    def read(self, value: object) -> timedelta:
        """Add up numbers with units, to whole milliseconds."""
        length = _parse_duration(value) if isinstance(value, str) else value
        if not isinstance(length, timedelta) or length % _MILLISECOND:
            raise self.refusal()
        if not self.minimum <= length <= self.maximum:
            raise self.refusal()
        return length

    def write(self, value: timedelta) -> Plain:
        """Write it in units, as it is read."""
        return duration_text(value)


def _parse_duration(text: str) -> timedelta | None:
    text = text.strip()
    if not _DURATION.fullmatch(text):
        return None
    milliseconds = Decimal(0)
    for number, unit in _DURATION_PART.findall(text):
        milliseconds += Decimal(number) * (_DURATION_UNITS[unit] // _MILLISECOND)
    if milliseconds % 1:
        return None
    try:
        return timedelta(milliseconds=int(milliseconds))
    except OverflowError:
        return None


@dataclass(frozen=True)
class Size(Kind[int]):
    """A number of bytes within bounds, both included."""

    minimum: int
    maximum: int

    @property
    def allowed(self) -> str:
        """The bounds and an example."""
        bounds = f"{size_text(self.minimum)} to {size_text(self.maximum)}"
        return f"{bounds}, written in bytes or like 10MB or 256 MiB"

    def read(self, value: object) -> int:
        """Take bytes; text may carry a unit, in any case."""
        size = _parse_size(value) if isinstance(value, str) else value
        if isinstance(size, bool) or not isinstance(size, int):
            raise self.refusal()
        if not self.minimum <= size <= self.maximum:
            raise self.refusal()
        return size

    def write(self, value: int) -> Plain:
        """Write it in the largest binary unit that fits."""
        return size_text(value)


def _parse_size(text: str) -> int | None:
    match = _SIZE.fullmatch(text.strip().lower())
    unit = _SIZE_UNITS.get(match[2] or "b") if match else None
    return int(match[1]) * unit if match and unit else None


@dataclass(frozen=True)
class Host(Kind[str]):
    """An address to listen on."""

    allowed = "an IP address or a host name, such as 127.0.0.1, ::1, 0.0.0.0 or localhost"

    def read(self, value: object) -> str:
        """Take an address without a port."""
        if not isinstance(value, str) or not (_is_ip(value) or _is_host_name(value)):
            raise self.refusal()
        return value


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`; a name other than localhost is not trusted."""
    if host.lower() == "localhost":
        return True
    return _is_ip(host) and ipaddress.ip_address(host).is_loopback


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_host_name(text: str) -> bool:
    """Whether the last label is no number either: 127.0.0.300 is a mistake, not a name."""
    return bool(_HOST_NAME.fullmatch(text)) and not text.rpartition(".")[2].isdigit()


@dataclass(frozen=True)
class HttpUrl(Kind[str]):
    """The base of links."""

    allowed = "a URL of http or https without credentials, query and fragment"

    def read(self, value: object) -> str:
        """Take the URL without a slash at its end."""
        if not isinstance(value, str) or not re.fullmatch(r"https?://[^\s/?#@][^\s?#@]*", value):
            raise self.refusal()
        try:
            port = urlsplit(value).port
        except ValueError:
            raise self.refusal() from None
        if port == 0:
            raise self.refusal()
        return value.rstrip("/")


@dataclass(frozen=True)
class DatabaseUrl(Kind[str]):
    """Where tasks are recorded; a password in it is masked when it is shown."""

    allowed = "a SQLAlchemy URL: sqlite:///file or postgresql[+driver]://user:password@host/name"

    def read(self, value: object) -> str:
        """Keep the URL as it is."""
        if not isinstance(value, str) or not value.isprintable():
            raise self.refusal()
        if not re.match(r"(sqlite|postgresql)(\+[a-z0-9]+)?://", value):
            raise self.refusal()
        return value

    def write(self, value: str) -> Plain:
        """Mask the password."""
        return _without_password(value)

    def shown(self, value: object) -> object:
        """Mask the password of a value that is refused, too."""
        return _without_password(value) if isinstance(value, str) else value


def _without_password(url: str) -> str:
    """Rather too much masked than too little: a refused value need not be a URL."""
    for password in _PASSWORDS:
        url = password.sub(rf"\g<1>{MASK}", url)
    return url
