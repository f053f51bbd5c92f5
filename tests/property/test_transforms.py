"""What masks and maps make of any values, held to models in plain Python."""

import csv
import hmac
import io
import re
from functools import cache
from typing import Any

import numpy as np
import openpyxl
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from exporters import ColumnOptions, CsvOptions, Workers, XlsxOptions, open_exporter
from exporters.columns import Projection
from exporters.transforms.base import TEXT
from exporters.transforms.hashed import Hash
from exporters.transforms.masks import Email, Last4, Phone
from exporters.transforms.sha256 import HmacSha256, chunks
from exporters.value_texts import value_texts
from tests.property.strategies import TEXTS, Sent, tables

KEY = b"a secret of at least 16 bytes"

LOCAL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="@"), min_size=1)
LABEL = st.text(st.characters(categories=["L", "N", "M"], include_characters="-_"), min_size=1)
NUMBERS = st.text("0123456789 +-()./\u202f\u2013", max_size=20)


@cache
def workers() -> Workers:
    return Workers(threads=2)


def through(mask: Any, text: str) -> str:
    [result] = mask.apply(pa.array([text], TEXT)).to_pylist()
    assert isinstance(result, str)
    return result


@settings(deadline=None)
@given(st.binary(min_size=0, max_size=100), st.data())
def test_digests_of_any_bytes_are_those_of_pythons_hmac(key: bytes, data: st.DataObject) -> None:
    """Messages that take the same number of chunks, whatever their lengths."""
    size = data.draw(st.integers(1, 5))
    lengths = st.integers(max(0, 64 * (size - 1) - 8), 64 * size - 9)
    message = lengths.flatmap(lambda length: st.binary(min_size=length, max_size=length))
    messages = data.draw(st.lists(message, min_size=1, max_size=5))
    sizes = np.array([len(each) for each in messages])
    assert set(chunks(sizes)) == {size}
    octets = np.frombuffer(b"".join(messages), np.uint8)
    found = HmacSha256(key).digests(octets, sizes)
    assert [each.tobytes() for each in found] == [
        hmac.digest(key, each, "sha256") for each in messages
    ]


@settings(deadline=None)
@given(st.lists(st.none() | st.text() | st.integers(0, 2000).map("é".__mul__), max_size=20))
def test_hashes_of_any_texts_are_those_of_pythons_hmac(texts: list[str | None]) -> None:
    expected = [
        None if text is None else hmac.digest(KEY, text.encode(), "sha256").hex() for text in texts
    ]
    assert Hash(KEY).apply(pa.array(texts, TEXT)).to_pylist() == expected


@settings(deadline=None)
@given(LOCAL, st.lists(LABEL, min_size=1, max_size=3))
def test_of_an_address_only_the_first_character_and_the_domain_stay(
    local: str, labels: list[str]
) -> None:
    domain = ".".join(labels)
    result = through(Email(), f"{local}@{domain}")
    if len(labels) > 1 and not re.search(r"[\t\n\f\r ]", local):
        assert result == f"{local[0]}***@{domain}"
    else:
        assert result in ("***", f"{local[0]}***@{domain}")


@settings(deadline=None)
@given(st.text() | TEXTS)
def test_of_what_is_no_address_nothing_stays(text: str) -> None:
    result = through(Email(), text)
    if text.count("@") != 1:
        assert result == "***"
    assert result == "***" or result == f"{text[0]}***@{text.partition('@')[2]}"


@settings(deadline=None)
@given(NUMBERS)
def test_of_a_number_the_last_four_digits_and_the_separators_stay(text: str) -> None:
    """A star stands for each other digit, counted here from the end."""
    digits = sum(map(str.isdigit, text))
    expected, left = "", digits
    for character in text:
        expected += "*" if character.isdigit() and left > 4 else character
        left -= character.isdigit()
    assert through(Phone(), text) == (expected if digits >= 7 else "***")


@settings(deadline=None)
@given(st.text() | TEXTS)
def test_of_what_is_no_number_no_digit_and_no_letter_stays(text: str) -> None:
    result = through(Phone(), text)
    assert result == "***" or len(re.findall(r"\d", result)) == 4
    assert not any(map(str.isalpha, result))


@settings(deadline=None)
@given(st.text() | TEXTS)
def test_of_any_text_only_its_last_four_characters_stay(text: str) -> None:
    assert through(Last4(), text) == (f"****{text[-4:]}" if len(text) > 4 else "****")


@settings(max_examples=60, deadline=None)
@given(tables(max_columns=3), st.data())
def test_no_value_is_left_of_a_masked_column(sent: Sent, data: st.DataObject) -> None:
    """Whatever its type: the mask is that of its text, and nulls are where they were."""
    flat = [place for place, kind in enumerate(sent.kinds) if kind.name != "nested"]
    names = [sent.schema.names[place] for place in flat]
    if not names:
        return
    raw = Projection(sent.schema, [ColumnOptions(name) for name in names])
    masks = st.sampled_from(["email", "hash", "last4", "phone", "redact"])
    masked = Projection(
        sent.schema,
        [ColumnOptions(name, mask=data.draw(masks), mask_key=KEY) for name in names],
    )
    for batch in sent.batches:
        texts = [value_texts(array).to_pylist() for array in raw.apply(batch).columns]
        found = masked.apply(batch)
        assert found.nbytes <= masked.size(batch) + 16 * len(names)
        for before, after in zip(texts, found.to_pydict().values(), strict=True):
            for text, mask in zip(before, after, strict=True):
                assert (text is None) == (mask is None)
                assert mask is None or len(text) <= 4 or "*" in text or text not in mask


@settings(max_examples=60, deadline=None)
@given(tables(max_columns=1), st.data())
def test_a_map_is_a_dictionary_of_texts(sent: Sent, data: st.DataObject) -> None:
    [kind], [name] = sent.kinds, sent.schema.names
    if kind.name == "nested":
        return
    plain = Projection(sent.schema)
    texts = [value_texts(plain.apply(batch).column(0)).to_pylist() for batch in sent.batches]
    met = sorted({text for each in texts for text in each if text is not None})
    keys = st.sampled_from(met) | TEXTS if met else TEXTS
    words = data.draw(st.dictionaries(keys, TEXTS, min_size=1))
    otherwise = data.draw(st.none() | TEXTS)
    asked = [ColumnOptions(name, map=words, otherwise=otherwise)]
    projection = Projection(sent.schema, asked)
    for batch, before in zip(sent.batches, texts, strict=True):
        found = projection.apply(batch).column(0)
        assert found.to_pylist() == [
            None if text is None else words.get(text, text if otherwise is None else otherwise)
            for text in before
        ]
        assert found.nbytes <= projection.size(batch) + 16


ADDRESSES = st.sampled_from(["jane@example.com", "joe@example.org", "nobody", "", None])

SOME = st.fixed_dictionaries(
    {
        "email": ADDRESSES,
        "phone": st.none() | st.integers(0, 10**12),
        "status": st.none() | st.integers(1, 4),
        "paid": st.none() | st.booleans(),
        "day": st.none() | st.dates(),
    }
)

SCHEMA = pa.schema(
    [("email", pa.string()), ("phone", pa.int64()), ("status", pa.int8()), ("paid", pa.bool_()),
     ("day", pa.date32())]
)  # fmt: skip

COLUMNS = [
    ColumnOptions(header="No.", row_number=True),
    ColumnOptions(header="Source", value="web shop"),
    ColumnOptions("email", mask="email"),
    ColumnOptions("email", "id", mask="hash", mask_key=KEY),
    ColumnOptions("phone", mask="phone"),
    ColumnOptions("status", map={"1": "open", "2": "paid"}, otherwise="unknown"),
    ColumnOptions("paid", map={"true": "yes", "false": "no"}),
    ColumnOptions("day", mask="last4"),
]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(SOME, max_size=6), min_size=1, max_size=4), st.integers(1, 5))
def test_csv_and_xlsx_have_the_same_cells(rows: list[list[Any]], rows_per_sheet: int) -> None:
    """Over batches of any size and sheets; read back by readers that are not ours."""
    batches = [pa.RecordBatch.from_pylist(each, SCHEMA) for each in rows]
    options: dict[str, Any] = {
        "csv": CsvOptions(null="NULL"),
        "xlsx": XlsxOptions(rows_per_sheet=rows_per_sheet),
    }
    files = {}
    for name, each in options.items():
        files[name] = io.BytesIO()
        with open_exporter(name, files[name], SCHEMA, COLUMNS, each, workers()) as exporter:
            for batch in batches:
                exporter.write_batch(batch)
    header, *lines = csv.reader(io.StringIO(files["csv"].getvalue().decode(), newline=""))
    book = openpyxl.load_workbook(files["xlsx"])
    cells = [
        ["NULL" if value is None else str(value) for value in row]
        for sheet in book
        for row in sheet.iter_rows(min_row=2, values_only=True)
    ]
    assert header == [column.label for column in COLUMNS]
    assert cells == lines
    assert [line[0] for line in lines] == [str(n) for n in range(1, len(lines) + 1)]
    assert len(lines) == sum(map(len, rows))
