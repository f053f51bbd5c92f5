"""Tables of other shapes are what they are called, and the same on any machine."""

from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pytest

from benchmarks.data import SCHEMA, batches
from benchmarks.shapes import SHAPES
from benchmarks.tables import read_table, stream_table, write_table
from benchmarks.words import paragraphs, words

BY_NAME = {shape.case.name: shape for shape in SHAPES}


def table(name: str, rows: int) -> pa.Table:
    return pa.Table.from_batches(BY_NAME[name].make(rows))


@pytest.mark.parametrize("name", BY_NAME)
def test_a_shape_has_the_rows_that_are_asked_for(name: str) -> None:
    assert table(name, 1_500).num_rows == 1_500


@pytest.mark.parametrize("name", BY_NAME)
def test_a_shape_is_the_same_again(name: str) -> None:
    assert table(name, 50).equals(table(name, 50))


def test_a_wide_table_has_two_hundred_columns_of_differing_rows() -> None:
    wide = table("wide", 50)
    assert wide.num_columns == 200
    assert wide["amount_0"] != wide["amount_1"]


def test_long_texts_have_about_ten_thousand_bytes_and_some_chinese() -> None:
    bodies = table("texts", 20)["body"].to_pylist()
    assert all(10_000 <= len(body.encode()) < 11_000 for body in bodies)
    assert all(max(body) >= "一" for body in bodies)
    assert len(set(bodies)) == 20


def test_nine_of_ten_values_are_null() -> None:
    sparse = table("nulls", 10_000)
    assert sparse.schema.equals(SCHEMA)
    for column in sparse.columns:
        assert 0.88 < column.null_count / 10_000 < 0.92


def test_encoded_strings_are_dictionaries() -> None:
    kinds = table("encoded", 50).schema.types
    assert sum(map(pa.types.is_dictionary, kinds)) == 8


def test_words_do_not_depend_on_the_version_of_python() -> None:
    """A hash that was taken once: other words would make other figures."""
    prose = "".join([*words(100), *paragraphs(3, 500)])
    assert sha256(prose.encode()).hexdigest()[:16] == "8c38a264b1e53e53"


def test_words_are_different() -> None:
    assert len(set(words(20_000))) == 20_000


@pytest.mark.parametrize("rows", [1, 16_384, 16_385, 20_000])
def test_a_table_is_read_as_far_as_asked(tmp_path: Path, rows: int) -> None:
    path = tmp_path / "table.arrow"
    write_table(path, batches(20_000))
    assert read_table(path, rows) == pa.Table.from_batches(batches(rows))
    assert sum(batch.num_rows for batch in stream_table(path, rows)) == rows
