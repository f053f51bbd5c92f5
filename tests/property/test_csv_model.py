"""Under every option the file is what a model in plain Python says."""

import io
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

import pyarrow as pa
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from exporters import ColumnOptions, CsvOptions, InvalidData, Workers, open_exporter
from tests.property.csv_model import Kind, Model, Sheet, has

ENCODINGS = [
    "utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32", "utf-7",
    "gb18030", "gbk", "hz", "big5", "shift_jis", "iso2022_jp", "euc_kr",
    "latin-1", "cp1252", "cp037", "ascii",
]  # fmt: skip

TRAPS = [
    "", " ", '"', '""', ",", ";", "\n", "\r\n", "\r", "\t", "ID", "IDEA", "\ufeff", "\ufeffx",
    "=1+1",
    "+1", "-1", "@x", "\t=1", "'=1", "NULL", "\\N", "true", "\x00", "~{", "+-", "+AGE-", "&#24352;",
    "\x0e", "\x1b$B", "?", "a|b", "a'b", "#x", "¥1", "\\", "—", "€", "张三", "𠮷", "😀", "か\u309a",
]  # fmt: skip

NOT_SURROGATES = st.characters(exclude_categories=["Cs"])


@cache
def own_characters(codec: str) -> tuple[str, ...]:
    """Some of those that an encoding has, from all over the basic plane."""
    return tuple(
        character
        for character in map(chr, [*range(0x180), *range(0x180, 0x10000, 7)])
        if not "\ud800" <= character <= "\udfff" and has(codec, character)
    )


@cache
def texts_for(codec: str) -> st.SearchStrategy[str]:
    """Of which the encoding has every character, some, or none."""
    alphabets = [
        st.sampled_from(own_characters(codec)),
        NOT_SURROGATES,
        st.sampled_from("ab\",;\t|\r\n=+-@'&#?~张é€"),
    ]
    drawn = [st.text(alphabet, max_size=6) for alphabet in alphabets]
    return st.one_of(*drawn, st.sampled_from(TRAPS), st.sampled_from(TRAPS).map(lambda t: t + "x"))


MOMENTS = st.datetimes(datetime(1950, 1, 1), datetime(2037, 12, 30))

KINDS = (
    Kind("int64", pa.int64(), st.integers(-(2**63), 2**63 - 1)),
    Kind("bool", pa.bool_(), st.booleans()),
    Kind("decimal", pa.decimal128(9, 2), st.decimals(-99999, 99999, places=2).map(Decimal)),
    Kind("date", pa.date32(), st.dates()),
    Kind("naive", pa.timestamp("us"), st.datetimes(datetime(1, 1, 1))),
    Kind("utc", pa.timestamp("us", "UTC"), MOMENTS),
    Kind("berlin", pa.timestamp("us", "Europe/Berlin"), MOMENTS),
    Kind(
        "duration",
        pa.duration("us"),
        st.timedeltas(timedelta(days=-9999), timedelta(days=9999)),
    ),
)

DELIMITERS = [",", ";", "tab", "|", "'", "&", "=", "\\", "~", "#"]
DAYS = ["%d.%m.%Y", "%Y年%m月%d日", '%d"%m', "%d,%m;%Y", "=%Y"]
TIMES = ["%d.%m.%Y %H:%M:%S", "%H:%M", "%H点", "%Y-%m-%d\t%H|%M"]


class Asked(NamedTuple):
    """An export to make."""

    sheet: Sheet
    options: CsvOptions
    patterns: tuple[str | None, ...]
    """Of each column, as the file must have them."""
    columns: tuple[ColumnOptions, ...]


@st.composite
def options(draw: st.DrawFn) -> CsvOptions:
    """Every option in combination with every other."""
    encoding = draw(st.sampled_from(ENCODINGS))
    codec = CsvOptions(encoding=encoding).charset.codec
    decimal = draw(st.sampled_from(".,"))
    delimiter = draw(st.sampled_from(DELIMITERS).filter(lambda each: each != decimal))

    def word(*words: str) -> Any:
        fit = [each for each in words if delimiter not in each and all(has(codec, c) for c in each)]
        return draw(st.sampled_from(fit))

    return CsvOptions.parse(
        {
            "encoding": encoding,
            "decimal": decimal,
            "delimiter": delimiter,
            "null": word("", "", "NULL", "\\N", "空", "-", "ID"),
            "true": word("true", "yes", "是"),
            "false": word("false", "no", "否"),
            "encoding_errors": draw(st.sampled_from(["error", "replace", "xmlcharref"])),
            "quoting": draw(st.sampled_from(["strings", "minimal", "all", "none"])),
            "header": draw(st.booleans()),
            "line_terminator": draw(st.sampled_from(["lf", "crlf"])),
            "date_format": draw(st.none() | st.sampled_from(DAYS)),
            "datetime_format": draw(st.none() | st.sampled_from(TIMES)),
            "timezone": draw(st.sampled_from([None, "UTC", "Asia/Shanghai", "America/New_York"])),
            "formula_guard": draw(st.sampled_from(["off", "prefix", "reject"])),
        }
    )


@st.composite
def asked(draw: st.DrawFn) -> Asked:
    """A table of any columns in any order, and what is asked of it."""
    chosen = draw(options())
    texts = texts_for(chosen.charset.codec)
    text = Kind("text", pa.string(), texts)
    kind = st.sampled_from([text, text, text, *KINDS])
    kinds = tuple(draw(st.lists(kind, min_size=1, max_size=4)))
    rows = draw(st.integers(0, 6))
    drawn = [st.lists(st.none() | each.values, min_size=rows, max_size=rows) for each in kinds]
    names = [draw(texts) + (str(place) if place else "") for place in range(len(kinds))]
    assume(len({*names}) == len(names))
    sheet = Sheet(tuple(names), kinds, tuple(draw(each) for each in drawn))
    own = [draw(st.none() | st.sampled_from(_patterns(each))) for each in kinds]
    shown = tuple(mine or _pattern(each, chosen) for mine, each in zip(own, kinds, strict=True))
    columns = tuple(ColumnOptions(name, format=mine) for name, mine in zip(names, own, strict=True))
    return Asked(sheet, chosen, shown, columns)


def _patterns(kind: Kind) -> list[str | None]:
    if pa.types.is_date(kind.type):
        return [*DAYS]
    return [*TIMES] if pa.types.is_timestamp(kind.type) else [None]


def _pattern(kind: Kind, options: CsvOptions) -> str | None:
    if pa.types.is_date(kind.type):
        return options.date_format
    return options.datetime_format if pa.types.is_timestamp(kind.type) else None


@cache
def workers() -> Workers:
    return Workers(threads=2)


class Made(NamedTuple):
    data: bytes
    warnings: dict[str, int]


def made(asked: Asked, batches: Sequence[pa.RecordBatch]) -> Made | str:
    """The file, or why it was refused."""
    sink = io.BytesIO()
    schema = batches[0].schema
    try:
        with open_exporter(
            "csv", sink, schema, asked.columns, asked.options, workers()
        ) as exporter:
            for batch in batches:
                exporter.write_batch(batch)
    except InvalidData as refused:
        return str(refused)
    assert workers().in_flight == 0
    counts = {each.code: each.count for each in exporter.warnings}
    assert exporter.rows_written == sum(batch.num_rows for batch in batches)
    return Made(sink.getvalue(), counts)


def lossy(text: str, codec: str) -> str:
    """What an encoding keeps of a text: Shift_JIS, for one, has a single place for \\ and ¥."""
    return text.encode(codec).decode(codec)


def is_said_of(refusal: str, asked: Asked, model: Model) -> bool:
    """Whether a message names one of the cells that may be refused, and why."""
    for (row, column), reasons in model.offences.items():
        name = asked.sheet.names[column]
        where = "the header: " if row is None else f"column {name!r}, row {row}: "
        said = [words.partition(" ")[2] for words in reasons]
        if refusal.startswith(where) and any(words in refusal for words in said):
            return True
    return False


@given(asked())
@settings(max_examples=1500, deadline=None)
def test_the_file_the_warnings_and_the_refusal_are_those_of_the_model(asked: Asked) -> None:
    got = made(asked, [asked.sheet.batch()])
    model = Model(asked.sheet, asked.options, asked.patterns)
    if isinstance(got, str):
        event("refused")
        assert is_said_of(got, asked, model), (got, model.offences)
        return
    assert model.offences == {}
    event("warned" if got.warnings else "written")
    charset = asked.options.charset
    assert got.data.decode(charset.name) == lossy(model.text, charset.codec)
    assert got.warnings == model.warnings


@given(asked(), st.data())
@settings(max_examples=500, deadline=None)
def test_the_cut_into_batches_and_their_offsets_leave_no_trace(
    asked: Asked, data: st.DataObject
) -> None:
    batch = asked.sheet.batch()
    rows = batch.num_rows
    cuts = sorted({0, rows, *data.draw(st.lists(st.integers(0, rows), max_size=3))})
    around = pa.concat_batches([batch, batch, batch])
    slices = [
        around.slice(rows + start, end - start)
        for start, end in zip(cuts, [*cuts[1:], rows], strict=True)
    ]
    assert made(asked, slices) == made(asked, [batch])
