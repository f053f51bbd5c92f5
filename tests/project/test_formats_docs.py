"""docs/formats.md says what the exporters do: each example is really written."""

import ctypes
import io
import json
import pydoc
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from datetime import datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args
from uuid import UUID
from xml.etree import ElementTree as ET

import openpyxl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from exporters import (
    ColumnOptions,
    CsvOptions,
    UnsupportedType,
    Workers,
    XlsxOptions,
    find_format,
    formats,
    formats_by_extension,
    open_exporter,
)
from exporters.asked import MAX_FIRST_NUMBER, MAX_TEXT, MAX_WORDS, MaskName
from exporters.columns import Projection
from exporters.csv.lines import WARNINGS as CSV_WARNINGS
from exporters.layouts import plain_layout
from exporters.ndjson import exporter as ndjson
from exporters.nesting import MAX_DEPTH
from exporters.number_formats import NAMED_FORMATS, check_number_format
from exporters.packing.files import MAX_FILES
from exporters.packing.options import SUFFIXES
from exporters.parquet.types import parquet_type
from exporters.xlsx.cells import WARNINGS
from exporters.xlsx.conditions import ConditionalFormat
from exporters.xlsx.features import (
    MAX_FORMULA,
    MAX_LINE,
    MAX_LIST,
    CellStyle,
    FormulaColumn,
    Properties,
    Validation,
)
from exporters.xlsx.layout import MAX_COLUMNS, MAX_HEADER_LENGTH, MAX_TABLE_HEADER
from exporters.xlsx.links import MAX_ADDRESS, MAX_LINKS
from exporters.xlsx.options import SHEET_ROWS
from exporters.xlsx.sheet_names import MAX_UNITS
from exporters.xlsx.sheets import MAX_SHEETS
from exporters.xlsx.styles import STYLES
from exporters.xlsx.texts import MAX_CELL_LENGTH
from flight_server.request import parse_command

DOCS = (Path(__file__).parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")
MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"

TYPES = {
    "null": pa.null(),
    "bool": pa.bool_(),
    **{f"int{bits}": getattr(pa, f"int{bits}")() for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": getattr(pa, f"uint{bits}")() for bits in (8, 16, 32, 64)},
    **{f"float{bits}": getattr(pa, f"float{bits}")() for bits in (16, 32, 64)},
    "decimal32": pa.decimal32(9, 2),
    "decimal64": pa.decimal64(18, 2),
    "decimal128": pa.decimal128(38, 2),
    "decimal256": pa.decimal256(76, 2),
    "string": pa.string(),
    "large_string": pa.large_string(),
    "string_view": pa.string_view(),
    "date32": pa.date32(),
    "date64": pa.date64(),
    **{f"time32[{unit}]": pa.time32(unit) for unit in ("s", "ms")},
    **{f"time64[{unit}]": pa.time64(unit) for unit in ("us", "ns")},
    **{f"timestamp[{unit}]": pa.timestamp(unit) for unit in ("s", "ms", "us", "ns")},
    **{
        f"timestamp[s, {zone}]": pa.timestamp("s", zone) for zone in ("UTC", "+06:00", "Asia/Dhaka")
    },
    **{f"duration[{unit}]": pa.duration(unit) for unit in ("s", "ms", "us", "ns")},
    "dictionary": pa.dictionary(pa.int8(), pa.string()),
    "run_end_encoded": pa.run_end_encoded(pa.int32(), pa.string()),
    "month_day_nano_interval": pa.month_day_nano_interval(),
    "binary": pa.binary(),
    "large_binary": pa.large_binary(),
    "binary_view": pa.binary_view(),
    "fixed_size_binary": pa.binary(2),
    "list": pa.list_(pa.int8()),
    "large_list": pa.large_list(pa.int8()),
    "list_view": pa.list_view(pa.int8()),
    "large_list_view": pa.large_list_view(pa.int8()),
    "fixed_size_list": pa.list_(pa.int8(), 2),
    "struct": pa.struct([("a", pa.int8())]),
    "map": pa.map_(pa.string(), pa.int8()),
    "arrow.bool8": pa.bool8(),
    "arrow.json": pa.json_(),
    "arrow.uuid": pa.uuid(),
    "arrow.fixed_shape_tensor": pa.fixed_shape_tensor(pa.int8(), [2]),
    "arrow.opaque": pa.opaque(pa.string(), "odd", "someone"),
}


class CSchema(ctypes.Structure):
    """The C data interface, by which types come that pyarrow has no function for."""


CSchema._fields_ = [
    ("format", ctypes.c_char_p),
    ("name", ctypes.c_char_p),
    ("metadata", ctypes.c_char_p),
    *((name, ctypes.c_int64) for name in ("flags", "n_children")),
    *((name, ctypes.c_void_p) for name in ("children", "dictionary", "release", "private_data")),
]


@ctypes.CFUNCTYPE(None, ctypes.POINTER(CSchema))
def release(schema: Any) -> None:
    schema.contents.release = None


def imported(code: bytes) -> pa.DataType:
    schema = CSchema(format=code, release=ctypes.cast(release, ctypes.c_void_p))
    return pa.DataType._import_from_c(ctypes.addressof(schema))


UNSUPPORTED = {
    "dense_union": pa.dense_union([pa.field("a", pa.int8())]),
    "sparse_union": pa.sparse_union([pa.field("a", pa.int8())]),
    "month_interval": imported(b"tiM"),
    "day_time_interval": imported(b"tiD"),
}


ORDERS = pa.record_batch(
    {
        "order_id": pa.array([1, 2, 3], pa.int64()),
        "placed_at": pa.array([datetime(2024, 5, 1, 12)] * 3, pa.timestamp("us", "UTC")),
        "country": ["DE", "DE", "FR"],
        "status": ["open", "paid", "paid"],
        "price": pa.array([Decimal("9.90"), Decimal("120.00"), None], pa.decimal128(10, 2)),
        "quantity": pa.array([1, 5, 2], pa.int32()),
        "page": ["https://example.com/1", None, "3"],
        "email": ["jane@example.com", "", None],
        "phone": pa.array([4930123456, 112, None], pa.int64()),
        "card": ["4111111111111111", "1234", None],
    }
)

KEY = b"an example of a key"
"""Of the hashes in the document."""

COMMANDS = [json.loads(each) for each in re.findall(r"```json\n(.*?)```", DOCS, re.DOTALL)]
WORKBOOKS = [each for each in COMMANDS if each["filename"].endswith(".xlsx")]

FEATURES = [
    CellStyle,
    FormulaColumn,
    Properties,
    Validation,
    *get_args(get_args(ConditionalFormat)[0]),
]


def tables(heading: str, text: str = DOCS) -> Iterator[list[str]]:
    """The rows of the tables whose first column is headed so."""
    inside = False
    for line in text.splitlines():
        cells = [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if not line.startswith("|"):
            inside = False
        elif cells[0] == heading:
            inside = True
        elif inside and not set(line) <= set("|-"):
            yield cells


def section(heading: str) -> str:
    return DOCS.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def code(cell: str) -> str:
    """What stands between back quotes."""
    assert cell.startswith("`")
    assert cell.endswith("`")
    return cell[1:-1]


def codes(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


@dataclass(frozen=True)
class Example:
    """A row of the tables of types, for one of its types."""

    type: str
    value: str
    csv: str
    ndjson: str
    xlsx: str
    warning: str | None

    def __str__(self) -> str:
        return f"{self.type} {self.value}"

    @property
    def nested(self) -> Any:
        """What stands in lists and structs; text as it is."""
        is_json = self.value[:1] in "[{" and self.type != "arrow.json"
        return json.loads(self.value) if is_json else self.value

    @property
    def array(self) -> pa.Array:
        kind = TYPES[self.type]
        if pa.types.is_null(kind):
            return pa.nulls(1)
        if pa.types.is_duration(kind):
            hours = int(self.value.removesuffix(" hours"))
            return pa.array([hours * 3600], pa.duration("s")).cast(kind)
        if pa.types.is_interval(kind):
            months, days, seconds = map(float, re.findall(r"[\d.]+", self.value))
            return pa.array([(int(months), int(days), int(seconds * 10**9))], kind)
        if isinstance(kind, pa.BaseExtensionType):
            storage = self.nested
            if self.type == "arrow.bool8":
                storage = 1
            if self.type == "arrow.uuid":
                storage = UUID(self.value).bytes
            return pa.ExtensionArray.from_storage(kind, pa.array([storage], kind.storage_type))
        if pa.types.is_nested(kind):
            value = self.nested
            return pa.array([list(value.items()) if self.type == "map" else value], kind)
        if self.value.startswith("bytes "):
            return pa.array([bytes.fromhex(self.value.removeprefix("bytes "))], kind)
        if pa.types.is_time(kind):
            return pa.array([time.fromisoformat(self.value)], kind)
        plain = pa.array([self.value])
        if pa.types.is_dictionary(kind):
            return plain.dictionary_encode()
        if pa.types.is_run_end_encoded(kind):
            return pc.run_end_encode(plain)
        if pa.types.is_decimal(kind):
            return plain.cast(pa.decimal256(76, 2)).cast(kind)
        if pa.types.is_date64(kind):
            return plain.cast(pa.date32()).cast(kind)
        if pa.types.is_float16(kind):
            return plain.cast(pa.float32()).cast(kind)
        return plain.cast(kind)


FATES, KEPT = section("What becomes of each Arrow type").split("Parquet and Arrow files keep")

EXAMPLES = [
    Example(each, value, csv, ndjson, xlsx, code(warning[0]) if warning else None)
    for types, value, csv, ndjson, xlsx, *warning in tables("Arrow type", FATES)
    for each in codes(types)
]


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    with Workers(threads=1) as workers:
        yield workers


def written(name: str, array: pa.Array, workers: Workers) -> tuple[bytes, list[str]]:
    """The file of one column beside another, and the codes of its warnings."""
    batch = pa.record_batch({"value": array, "n": [1]})
    sink = io.BytesIO()
    options = find_format(name).options()
    with open_exporter(name, sink, batch.schema, (), options, workers) as exporter:
        exporter.write_batch(batch)
    return sink.getvalue(), [warning.code for warning in exporter.warnings]


HEADINGS = {
    "csv": "CSV", "ndjson": "NDJSON", "parquet": "Parquet", "arrow": "Arrow", "xlsx": "XLSX"
}  # fmt: skip


@pytest.mark.parametrize(("name", "heading"), HEADINGS.items())
def test_every_option_is_there_with_its_default_and_meaning(name: str, heading: str) -> None:
    described = find_format(name).options.describe()
    listed = [cells[:3] for cells in tables("option", section(heading))]
    assert listed == [
        [f"`{option}`", f"`{json.dumps(each['default'])}`", each["description"]]
        for option, each in described.items()
    ]


def test_every_format_has_a_section() -> None:
    assert HEADINGS.keys() == formats().keys()
    assert all(map(section, HEADINGS.values()))


def test_every_extension_is_there() -> None:
    introduction = DOCS.partition("## CSV")[0]
    assert all(f"`.{each}`" in introduction for each in formats_by_extension().keys() - formats())


@pytest.mark.parametrize(("name", "heading"), HEADINGS.items())
def test_every_example_of_an_option_is_taken(name: str, heading: str) -> None:
    options = find_format(name).options
    for option, _, _, example in tables("option", section(heading)):
        values = json.loads(code(example))
        assert next(iter(values)) == code(option)
        assert options.parse(values) != options()


@pytest.mark.parametrize("command", COMMANDS, ids=lambda each: "-".join(each["options"]))
def test_every_example_of_a_command_is_taken_and_writes_a_file(
    command: dict[str, Any], workers: Workers
) -> None:
    request = parse_command(json.dumps(command).encode())
    columns = [replace(column, mask_key=KEY) for column in request.columns]
    sink = io.BytesIO()
    with open_exporter(
        request.format, sink, ORDERS.schema, columns, request.options, workers
    ) as exporter:
        exporter.write_batch(ORDERS)
    assert exporter.rows_written == ORDERS.num_rows
    assert sink.getvalue()


@pytest.mark.filterwarnings("ignore:.* extension is not supported:UserWarning:openpyxl")
@pytest.mark.parametrize("command", WORKBOOKS, ids=lambda each: "-".join(each["options"]))
def test_every_example_of_a_workbook_is_one(command: dict[str, Any], workers: Workers) -> None:
    sink = io.BytesIO()
    columns = [ColumnOptions(**column, mask_key=KEY) for column in command.get("columns", ())]
    options = XlsxOptions.parse(command["options"])
    with open_exporter("xlsx", sink, ORDERS.schema, columns, options, workers) as exporter:
        exporter.write_batch(ORDERS)
    book = openpyxl.load_workbook(sink)
    sheets = sum(sheet.max_row > 1 for sheet in book)
    assert sheets == exporter.sheets == (2 if options.split_by else 1)
    assert exporter.warnings == ()


def test_the_example_of_several_files_makes_those_that_are_listed(workers: Workers) -> None:
    prose = section("CSV").partition("### Several files")[2].rpartition("```")[2]
    [command] = [each for each in COMMANDS if "rows_per_file" in each["options"]]
    options = CsvOptions.parse(command["options"] | {"rows_per_file": 1})
    options = options.for_file(command["filename"])
    sink = io.BytesIO()
    with open_exporter("csv", sink, ORDERS.schema, (), options, workers) as exporter:
        exporter.write_batch(ORDERS)
    with zipfile.ZipFile(sink) as archive:
        names = archive.namelist()
    shown = [options.stored_name(command["filename"]), *names[:2]]
    assert shown == [each for each in codes(prose) if "orders" in each][:3]
    assert f"{MAX_FILES:,} files" in prose


def test_the_compressions_are_those_of_the_code() -> None:
    types = {
        compression: CsvOptions.parse({"compression": compression}).content_type("")
        for compression in SUFFIXES.values()
    }
    assert [[code(cell) for cell in cells[:3]] for cells in tables("compression")] == [
        [compression, suffix, types[compression]] for suffix, compression in SUFFIXES.items()
    ]


def test_the_masks_are_those_of_the_code_and_make_what_is_said() -> None:
    shown = [tuple(map(code, cells)) for cells in tables("mask")]
    assert {mask for mask, _, _ in shown} == set(get_args(MaskName))
    for mask, value, becomes in shown:
        batch = pa.record_batch({"value": [value]})
        asked = ColumnOptions("value", mask=mask, mask_key=KEY)
        assert Projection(batch.schema, [asked]).apply(batch).to_pydict() == {"value": [becomes]}


def test_the_limits_of_transforms_are_those_of_the_code() -> None:
    prose = section("Transforms")
    for limit in (f"{MAX_WORDS:,} entries", f"{MAX_TEXT:,} characters", "0 to 10^15"):
        assert limit in prose
    assert MAX_FIRST_NUMBER == 10**15


def test_every_transform_stands_in_an_example() -> None:
    shown = {key for command in COMMANDS for column in command.get("columns", ()) for key in column}
    assert shown == {field.name for field in fields(ColumnOptions)} - {"lenient", "mask_key"}


def test_every_option_of_a_workbook_around_its_rows_stands_in_an_example() -> None:
    shown = {option for command in WORKBOOKS for option in command["options"]}
    plain = {"column_widths", "compression", "date_format", "datetime_format", "freeze_header",
             "long_numbers", "rows_per_sheet", "start_row"}  # fmt: skip
    assert shown | plain == set(XlsxOptions.model_fields)


def test_every_key_of_what_is_asked_is_documented() -> None:
    prose = section("XLSX")
    for feature in FEATURES:
        for key in feature.model_fields:
            assert f"`{key}`" in prose or f'"{key}"' in prose, f"{feature.__name__}.{key}"


def test_the_conditional_formats_are_those_of_the_code() -> None:
    listed = [each for kinds, _ in tables("type") for each in codes(kinds)]
    known = [
        each
        for kind in get_args(get_args(ConditionalFormat)[0])
        for each in get_args(kind.model_fields["type"].annotation)
    ]
    assert listed == known


def test_the_styles_are_those_of_the_code() -> None:
    listed = {code(name): json.loads(code(options)) for name, options in tables("style")}
    assert listed == STYLES


def test_the_named_number_formats_are_those_of_the_code() -> None:
    assert [cells[:2] for cells in tables("name")] == [
        [
            f"`{name}`",
            f"`{written}`" if isinstance(written, str) else f"Excel's own, number {written}",
        ]
        for name, written in sorted(NAMED_FORMATS.items())
    ]


def test_the_number_formats_of_the_prose_are_taken() -> None:
    prose = section("XLSX").partition("### Number formats")[2]
    shown = [each for line in prose.splitlines() if line[:1] != "|" for each in codes(line)]
    written = [each for each in shown if each not in NAMED_FORMATS]
    assert len(written) == 3
    assert [check_number_format(each) for each in written] == written


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_csv_has_the_documented_text(example: Example, workers: Workers) -> None:
    data, warnings = written("csv", example.array, workers)
    _, line = data.decode().splitlines()
    assert line.removesuffix(",1") == ("" if example.csv == "nothing" else code(example.csv))
    assert warnings == []


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_ndjson_has_the_documented_value(example: Example, workers: Workers) -> None:
    data, warnings = written("ndjson", example.array, workers)
    assert data.decode() == f'{{"value":{code(example.ndjson)},"n":1}}\n'
    assert warnings == (["NON_FINITE_NULL"] if example.value in ("nan", "-inf") else [])


@pytest.mark.parametrize("type_", TYPES)
@pytest.mark.parametrize(("keep", "place"), [(parquet_type, 1), (plain_layout, 2)])
def test_a_type_is_kept_but_for_those_of_the_table(
    type_: str, keep: Callable[[pa.DataType], pa.DataType], place: int
) -> None:
    rows = [cells for cells in tables("Arrow type", KEPT) if type_ in codes(cells[0])]
    kind = TYPES[type_]
    said = rows[0][place] if rows else "the same"
    if said == "milliseconds":
        assert keep(kind) == pa.timestamp("ms", kind.tz)
    elif said == "the type of their values":
        assert keep(kind) == kind.value_type
    elif said == "the same":
        assert keep(kind) == kind
    else:
        base = codes(said)[0]
        assert keep(kind) == TYPES[base], said


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
@pytest.mark.parametrize("name", ["parquet", "arrow"])
def test_a_file_has_the_value_that_was_sent(name: str, example: Example, workers: Workers) -> None:
    data, warnings = written(name, example.array, workers)
    source = io.BytesIO(data)
    table = pq.read_table(source) if name == "parquet" else pa.ipc.open_file(source).read_all()
    found = table["value"].combine_chunks()
    if name == "parquet" and example.type == "month_day_nano_interval":
        assert f'"{found[0]}"' == code(example.csv)
    else:
        # As a text, because NaN is not itself.
        assert str(found.to_pylist()) == str(example.array.to_pylist())
    assert warnings == []


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_xlsx_has_the_documented_cell(example: Example, workers: Workers) -> None:
    data, warnings = written("xlsx", example.array, workers)
    assert documented(data) == example.xlsx
    assert warnings == ([example.warning] if example.warning else [])


def documented(data: bytes) -> str:
    """The first cell under the header in the notation of the table."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        sheet = ET.fromstring(archive.read("xl/worksheets/sheet1.xml"))
        styles = ET.fromstring(archive.read("xl/styles.xml"))
    cell = sheet.find(f".//{MAIN}c[@r='A2']")
    if cell is None:
        return "no cell"
    if cell.get("t") == "inlineStr":
        return f"text `{cell.findtext(f'{MAIN}is/{MAIN}t')}`"
    value = cell.findtext(f"{MAIN}v", "")
    if cell.get("t") == "b":
        return {"1": "TRUE", "0": "FALSE"}[value]
    shown = number_format(styles, int(cell.get("s", "0")))
    return f"`{value}`" if shown is None else f"`{value}` as `{shown}`"


def number_format(styles: ET.Element, style: int) -> str | None:
    found = styles.find(f"{MAIN}cellXfs")
    assert found is not None
    number = found[style].get("numFmtId")
    named = {each.get("numFmtId"): each.get("formatCode") for each in styles.iter(f"{MAIN}numFmt")}
    return {"0": None, "46": "[h]:mm:ss", **named}[number]


def test_every_type_has_one_row_in_the_table_and_none_is_missing() -> None:
    listed = [example.type for example in EXAMPLES if example.warning is None]
    assert sorted(listed) == sorted(TYPES)
    assert {example.type for example in EXAMPLES} == set(TYPES)


def test_every_type_that_arrow_has_is_written_or_refused() -> None:
    ids = {getattr(pa.lib, name) for name in dir(pa.lib) if name.startswith("Type_")}
    ids.add(pa.uuid().id)  # extensions, the only ones that have no name there
    assert {kind.id for kind in (*TYPES.values(), *UNSUPPORTED.values())} == ids


def test_every_extension_that_pyarrow_knows_is_written() -> None:
    """Others are of classes of their senders, or arrive as their storage."""
    known = {each for each in vars(pa).values() if isinstance(each, type)}
    known = {each for each in known if issubclass(each, pa.BaseExtensionType)}
    general = {pa.BaseExtensionType, pa.ExtensionType, pa.UnknownExtensionType}
    assert {type(kind) for name, kind in TYPES.items() if "arrow." in name} == known - general


@pytest.mark.parametrize("name", HEADINGS)
@pytest.mark.parametrize("type_", UNSUPPORTED)
def test_an_unsupported_type_is_refused(type_: str, name: str, workers: Workers) -> None:
    schema = pa.schema([("value", UNSUPPORTED[type_])])
    with pytest.raises(UnsupportedType):
        open_exporter(name, io.BytesIO(), schema, (), find_format(name).options(), workers)


def test_every_unsupported_type_is_listed() -> None:
    bullets = DOCS.partition("are refused with `UNSUPPORTED_TYPE`")[2].partition("\n## ")[0]
    listed = [each for line in bullets.splitlines() if line[:1] == "-" for each in codes(line)]
    assert listed == list(UNSUPPORTED)
    assert f"over {MAX_DEPTH} levels" in bullets


def test_the_warnings_are_those_of_the_code() -> None:
    listed = list(tables("code"))
    assert listed == [
        [f"`{code}`", message]
        for code, message in sorted(
            {
                **WARNINGS,
                **ndjson.WARNINGS,
                **{code: f"CSV: {text}" for code, text in CSV_WARNINGS.items()},
            }.items()
        )
    ]


def test_the_warnings_of_the_examples_exist_and_only_cuts_and_links_are_without_one() -> None:
    shown = {example.warning for example in EXAMPLES} - {None}
    of_texts = {code for code in WARNINGS if code.startswith("UNREAD_")} | {"FORMATS_IGNORED"}
    assert shown == set(WARNINGS) - of_texts - {"CELLS_CUT", "LINKS_AS_TEXT"}


def test_the_limits_are_those_of_the_code() -> None:
    limits = [cells[1] for cells in tables("what")]
    numbers = [SHEET_ROWS, MAX_SHEETS, MAX_COLUMNS, MAX_CELL_LENGTH, MAX_HEADER_LENGTH,
               MAX_TABLE_HEADER, MAX_LINE, MAX_UNITS, MAX_LINKS, MAX_ADDRESS, MAX_FORMULA,
               MAX_LIST]  # fmt: skip
    assert limits == [*(f"{number:,}" for number in numbers), "4 GiB", "4 GiB"]


def test_what_a_format_builds_on_is_there() -> None:
    names = [code(cells[0]) for cells in tables("to import")]
    assert len(names) == 6
    assert all(pydoc.locate(name) for name in names)
