"""What `ExportMetadata` asks for, in the words of the service; refusals name the contract's fields.

proto3 does not tell a field that is empty or 0 from one that was not sent: both are the default.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from exporters import ColumnOptions, CsvOptions, ExporterError, FormatOptions, find_format
from exporters.casts import ColumnType
from exporters.options import EVERYONE, FormatStyles, Styles
from flight_server.errors import ErrorCode, ServiceError
from flight_server.filenames import check_filename
from flight_server.request import MAX_REQUEST_ID, ExportRequest, complete_request
from flight_server.transports.export_pb2 import (
    ColumnDefinition,
    DataType,
    ExportFormat,
    ExportMetadata,
)

FORMATS: Final[Mapping[ExportFormat, str]] = {
    ExportFormat.FORMAT_EXCEL: "xlsx",
    ExportFormat.FORMAT_CSV: "csv",
}

_TYPES: Final[Mapping[int, ColumnType | None]] = {
    DataType.DATA_TYPE_STRING: None,
    DataType.DATA_TYPE_NUMBER: "number",
    DataType.DATA_TYPE_DATE: "date",
    DataType.DATA_TYPE_BOOLEAN: "boolean",
}

_OPTIONS: Final[Mapping[str, Mapping[str, str]]] = {
    "csv": {
        "delimiter": "csv_delimiter",
        "encoding": "csv_encoding",
        "compression": "compression_enabled",
    },
    "xlsx": {
        "sheet_name": "excel_sheet_name",
        "start_row": "excel_start_row",
        "compression": "compression_enabled",
    },
}
"""What the contract calls the options of a format."""

_COMPRESSIONS: Final = {"csv": "gzip", "xlsx": "small"}

_DEFAULTS: Final[Mapping[str, Mapping[str, Any]]] = {"csv": {"quoting": "minimal"}, "xlsx": {}}
"""Where this door differs from the others; the styles of the configuration go before it."""

MAX_WIDTH: Final = 255
"""Characters: what Excel takes."""

MAX_FORMAT: Final = 255


def request_of(metadata: ExportMetadata, styles: FormatStyles) -> ExportRequest:
    """The request in the first message of a stream.

    Raises `ServiceError` with INVALID_DESCRIPTOR naming the field, the value and what is right.
    """
    _check_texts(metadata)
    format_name = _chosen("metadata.format", metadata.format, FORMATS, ExportFormat)
    options = _options(metadata, format_name, styles.get(format_name, {}))
    columns = tuple(_columns(metadata.columns, format_name))
    try:
        return complete_request(
            filename=metadata.filename,
            format_name=format_name,
            columns=columns,
            options=options,
            request_id=metadata.request_id,
            decisive={"contract": "export", "columns": _asked(columns)},
        )
    except ServiceError as error:
        raise _invalid(_in_contract(error.message, format_name)) from None


def column_names(request: ExportRequest) -> list[str]:
    """What the columns of the stream are called: each another name."""
    return [column.name or "" for column in request.columns]


def empty_is_null(request: ExportRequest) -> bool:
    """Whether an empty text is no value: in Excel, and in CSV where neither is written.

    In CSV with quotes around all texts, or a word for null, an empty text is one.
    """
    options = request.options
    return not isinstance(options, CsvOptions) or (options.quoting, options.null) == ("minimal", "")


def _check_texts(metadata: ExportMetadata) -> None:
    if not metadata.request_id:
        raise _missing("metadata.request_id")
    if len(metadata.request_id) > MAX_REQUEST_ID:
        length = len(metadata.request_id)
        raise _invalid(f"metadata.request_id has {length} characters; at most {MAX_REQUEST_ID}")
    if not metadata.filename:
        raise _missing("metadata.filename")
    try:
        check_filename(metadata.filename)
    except ValueError as error:
        raise _invalid(f"metadata.filename: {error}") from None
    if not metadata.columns:
        raise _missing("metadata.columns")


def _chosen(field: str, number: Any, known: Mapping[Any, Any], enum: Any) -> Any:
    """What a value of an enum stands for. Raises for none, and for one of another version."""
    if number == 0:
        raise _missing(field)
    if number not in known:
        names = ", ".join(f"{enum.Name(each)} {each}" for each in known)
        raise _invalid(f"{field}: {number} is not allowed; use one of {names}")
    return known[number]


def _options(metadata: ExportMetadata, format_name: str, styles: Styles) -> FormatOptions:
    asked = metadata.options
    compression = _COMPRESSIONS[format_name] if asked.compression_enabled else None
    values = {
        option: compression if option == "compression" else getattr(asked, field)
        for option, field in _OPTIONS[format_name].items()
    }
    given = {option: value for option, value in values.items() if value}
    try:
        return find_format(format_name).options.parse(given, _house(format_name, styles))
    except ExporterError as error:
        raise _invalid(_in_contract(str(error), format_name)) from None


def _house(format_name: str, styles: Styles) -> Styles:
    """The styles, with the defaults of this door below that of who names none."""
    defaults = _DEFAULTS[format_name]
    if not defaults:
        return styles
    return {**styles, EVERYONE: {**defaults, **styles.get(EVERYONE, {})}}


def _columns(columns: Sequence[ColumnDefinition], format_name: str) -> Iterator[ColumnOptions]:
    taken: dict[str, int] = {}
    for place, column in enumerate(columns):
        field = f"metadata.columns[{place}]"
        if not column.name:
            raise _missing(f"{field}.name")
        kind = _chosen(f"{field}.data_type", column.data_type, _TYPES, DataType)
        name = _own_name(column.name, taken)
        looks = _looks(column, field, kind) if format_name == "xlsx" else {}
        yield ColumnOptions(name, header=column.name, lenient=True, **looks)


def _own_name(name: str, taken: dict[str, int]) -> str:
    """A name that no other column of the stream has: the contract lets headers repeat.

    `taken` has the number to try next for each name that was given out.
    """
    own = name
    while own in taken:
        taken[name] += 1
        own = f"{name} ({taken[name]})"
    taken[own] = 1
    return own


def _looks(column: ColumnDefinition, field: str, kind: ColumnType | None) -> dict[str, Any]:
    """What a column has in Excel only; in CSV its text stands as it was sent."""
    if not 0 <= column.width <= MAX_WIDTH:
        allowed = f"from 1 to {MAX_WIDTH} characters, or 0 for a width by the content"
        raise _invalid(f"{field}.width: {column.width} is not allowed; {allowed}")
    if len(column.format) > MAX_FORMAT:
        raise _invalid(f"{field}.format has {len(column.format)} characters; at most {MAX_FORMAT}")
    # Most columns are texts: what has a format of numbers stays text all the same.
    return {
        "type": kind,
        "width": column.width or None,
        "format": (column.format or None) if kind is not None else None,
    }


def _asked(columns: Sequence[ColumnOptions]) -> list[list[object]]:
    return [[each.name, each.header, each.type, each.width, each.format] for each in columns]


def _in_contract(message: str, format_name: str) -> str:
    """A refusal with the contract's names for the options that it begins with."""
    for option, field in _OPTIONS[format_name].items():
        rest = message.removeprefix(f"options.{option}:")
        if rest != message:
            return f"metadata.options.{field}:{rest}"
    return f"metadata.{message}" if message.startswith("options") else message


def _missing(field: str) -> ServiceError:
    return _invalid(f"{field} is missing; it is required")


def _invalid(message: str) -> ServiceError:
    return ServiceError(ErrorCode.INVALID_DESCRIPTOR, message)
