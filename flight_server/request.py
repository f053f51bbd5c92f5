"""What a caller asks for: the descriptor of an export, checked before anything is started."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import starmap
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from exporters import ColumnOptions, ExporterError, FormatOptions, find_format, formats_by_extension
from exporters.casts import ColumnType
from exporters.hints import closest, refusal
from exporters.options import FormatStyles
from flight_server.errors import ErrorCode, ServiceError, translate
from flight_server.filenames import check_filename

MAX_DESCRIPTOR_BYTES: Final = 4 * 1024 * 1024
"""Room for the columns of the widest sheet."""

MAX_ROWS: Final = 2**63 - 1

MAX_REQUEST_ID: Final = 128
"""Characters."""

_NO_STYLES: Final[FormatStyles] = MappingProxyType({})
"""None but the built-in ones."""


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """One export as asked for, every default filled in. `fingerprint` tells equal requests."""

    filename: str
    format: str
    content_type: str
    columns: tuple[ColumnOptions, ...]
    options: FormatOptions
    request_id: str | None
    rows: int | None
    wait: bool
    fingerprint: str


class _Column(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    name: str | None = None
    header: str | None = None
    type: ColumnType | None = None
    width: Annotated[float, Field(gt=0, le=255)] | None = None
    format: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    # What is allowed here, and beside what, is known by `ColumnOptions`.
    mask: str | None = None
    map: dict[str, str] | None = None
    otherwise: str | None = None
    value: Any = None
    row_number: Any = None

    def asked(self) -> dict[str, Any]:
        """What decides the file's content, as JSON.

        Keys that came after the first version are left out where they are not used, so that a
        request of that version is taken for the same as it was.
        """
        values = self.model_dump()
        return {
            key: value
            for key, value in values.items()
            if value is not None or key not in _LATER_KEYS
        }


_LATER_KEYS: Final = frozenset({"mask", "map", "otherwise", "value", "row_number"})


class _Command(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    filename: str
    format: str | None = None
    request_id: Annotated[str, Field(min_length=1, max_length=MAX_REQUEST_ID)] | None = None
    rows: Annotated[int, Field(ge=0, le=MAX_ROWS)] | None = None
    columns: Annotated[list[_Column], Field(min_length=1)] | None = None
    options: dict[str, Any] = {}
    wait: bool = True


def parse_command(command: bytes, styles: FormatStyles = _NO_STYLES) -> ExportRequest:
    """The request in a CMD descriptor, whose options may name one of `styles`.

    Raises `ServiceError` with INVALID_DESCRIPTOR.
    """
    return _request(_json_object(command), styles)


def parse_path(path: Sequence[bytes], styles: FormatStyles = _NO_STYLES) -> ExportRequest:
    """The request in a PATH descriptor: one segment, the filename; everything else by default."""
    if len(path) != 1:
        raise _invalid(f"the path has {len(path)} segments; give one, the filename")
    try:
        filename = path[0].decode()
    except UnicodeDecodeError:
        raise _invalid("the path is not UTF-8") from None
    return _request({"filename": filename}, styles)


def _request(values: Mapping[str, Any], styles: FormatStyles) -> ExportRequest:
    command = _validated(values)
    _check_unicode(values)
    try:
        check_filename(command.filename)
        chosen = find_format(command.format or _format_of(command.filename))
        options = chosen.options.parse(command.options, styles.get(chosen.name))
        columns = tuple(starmap(_asked, enumerate(command.columns or ())))
    except ValueError as error:
        raise _invalid(str(error)) from None
    except ExporterError as error:
        raise translate(error) from None
    decisive = command.model_dump(exclude={"request_id", "wait", "options", "columns"})
    asked = command.columns
    decisive["columns"] = None if asked is None else [column.asked() for column in asked]
    return complete_request(
        filename=command.filename,
        format_name=chosen.name,
        columns=columns,
        options=options,
        request_id=command.request_id,
        rows=command.rows,
        wait=command.wait,
        decisive=decisive,
    )


def complete_request(
    *,
    filename: str,
    format_name: str,
    columns: tuple[ColumnOptions, ...],
    options: FormatOptions,
    request_id: str | None,
    decisive: Mapping[str, Any],
    rows: int | None = None,
    wait: bool = True,
) -> ExportRequest:
    """The request with what its checked parts tell together, whatever door they came through.

    `decisive` is what decides the content of the file besides the options, as JSON. Raises
    `ServiceError` with INVALID_DESCRIPTOR where name and options contradict each other.
    """
    chosen = find_format(format_name)
    if request_id is not None and not can_be_recorded(request_id):
        raise _invalid("request_id has a character that no database keeps, such as NUL")
    try:
        options = options.for_file(filename)
        stored = _stored_name(filename, options)
    except ValueError as error:
        raise _invalid(str(error)) from None
    except ExporterError as error:
        raise translate(error) from None
    return ExportRequest(
        filename=stored,
        format=chosen.name,
        content_type=options.content_type(chosen.content_type),
        columns=columns,
        options=options,
        request_id=request_id,
        rows=rows,
        wait=wait,
        fingerprint=_fingerprint(decisive, stored, chosen.name, options),
    )


def can_be_recorded(identifier: str) -> bool:
    """Whether databases take it: PostgreSQL has no NUL in a text, and UTF-8 no half characters."""
    return "\0" not in identifier and identifier.encode(errors="ignore").decode() == identifier


def _asked(place: int, column: _Column) -> ColumnOptions:
    try:
        return ColumnOptions(**column.model_dump())
    except ExporterError as error:
        message = str(error).removeprefix("columns: ")
        raise _invalid(f"columns[{place}]: {message}") from None


def _format_of(filename: str) -> str:
    """By the extension, or by the one before a suffix that files of its format may have."""
    path = PurePosixPath(filename.lower())
    known = formats_by_extension()
    if (found := known.get(path.suffix[1:])) is not None:
        return found.name
    inner = known.get(PurePosixPath(path.stem).suffix[1:])
    if inner is not None and path.suffix in inner.options.name_suffixes:
        return inner.name
    raise _invalid(
        f"filename {filename[:80]!r} does not tell the format; "
        f"give 'format' or one of these extensions: {', '.join(sorted(known))}"
    )


def _stored_name(filename: str, options: FormatOptions) -> str:
    """The name of the download. Raises ValueError for one that its suffix made too long."""
    stored = options.stored_name(filename)
    try:
        check_filename(stored)
    except ValueError as error:
        raise ValueError(f"with {stored.removeprefix(filename)!r} at its end, {error}") from None
    return stored


def _json_object(command: bytes) -> Mapping[str, Any]:
    if len(command) > MAX_DESCRIPTOR_BYTES:
        raise _invalid(f"the descriptor has {len(command)} bytes; at most {MAX_DESCRIPTOR_BYTES}")
    try:
        values = json.loads(command, object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise _invalid(f"the descriptor is not JSON in UTF-8: {reason}") from None
    if not isinstance(values, dict):
        raise _invalid(f"the descriptor is a JSON {type(values).__name__}; send an object")
    return values


def _check_unicode(values: Mapping[str, Any]) -> None:
    """Refuse texts that JSON can escape and no file can hold."""
    try:
        json.dumps(values, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        half = error.object[error.start]
        raise _invalid(f"the descriptor is not valid Unicode: {half!r} stands alone") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return values


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _validated(values: Mapping[str, Any]) -> _Command:
    try:
        return _Command.model_validate(values)
    except ValidationError as error:
        raise _invalid(_sentence(error)) from None


def _sentence(error: ValidationError) -> str:
    """The first thing wrong, naming its key, the value and what would be right."""
    errors = error.errors(include_url=False)
    # A mistyped key is the cause when a required one is missing: it comes first.
    first = next((each for each in errors if each["type"] == "extra_forbidden"), errors[0])
    location = first["loc"]
    key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)[1:]
    if first["type"] == "missing":
        return f"{key} is missing; it is required"
    if first["type"] == "extra_forbidden":
        fields = _Command if len(location) == 1 else _Column
        known = list(fields.model_fields)
        hint = closest(str(location[-1]), known) or f"; known: {', '.join(known)}"
        return f"unknown key {key[:80]!r}{hint}"
    return refusal(key, first)


def _fingerprint(
    decisive: Mapping[str, Any], filename: str, format_name: str, options: FormatOptions
) -> str:
    """SHA-256 of everything that decides the file's content; not of how its caller waits.

    Of a style that is what it says today, not its name: once it says something else, the same
    words ask for another file.
    """
    whole = {
        **decisive,
        "filename": filename,
        "format": format_name,
        "options": options.effective(),
    }
    canonical = json.dumps(whole, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _invalid(message: str) -> ServiceError:
    return ServiceError(ErrorCode.INVALID_DESCRIPTOR, message)
