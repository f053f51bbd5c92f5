"""Options of CSV that contradict each other or the file, and what is said of them."""

import random
from typing import Any

import pyarrow as pa
import pytest

from exporters import CsvOptions, InvalidOptions
from exporters.csv import assembly
from tests.support.csv_files import changes, file_of

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"null": '"'}, "options.null: .* use a text without quotes and line ends"),
    ({"true": "a\nb"}, "options.true: .* use a text without quotes and line ends"),
    ({"false": "\r"}, "options.false: .* use a text without quotes and line ends"),
    ({"null": "x" * 101}, "options.null: .* of at most 100"),
    ({"true": ""}, "options.true: '' is not allowed; an empty text would be null"),
    ({"false": ""}, "options.false: '' is not allowed; an empty text would be null"),
    ({"true": "yes", "false": "yes"}, "the texts for null, true and false must differ"),
    ({"null": "true"}, "the texts for null, true and false must differ"),
    ({"null": ",NULL"}, "the text for null holds the delimiter ','"),
    ({"true": "a;b", "delimiter": ";"}, "the text for true holds the delimiter ';'"),
    ({"false": "\t", "delimiter": "tab"}, r"the text for false holds the delimiter '\\t'"),
    ({"decimal": ","}, "decimal ',' needs another delimiter, as ';'"),
    ({"delimiter": ""}, "options.delimiter: '' is not allowed; use 'tab' or one ASCII"),
    ({"delimiter": ";;"}, "options.delimiter: ';;' is not allowed; use 'tab' or one ASCII"),
    ({"delimiter": "，"}, "options.delimiter: '，' is not allowed; use 'tab' or one ASCII"),
    ({"delimiter": "%", "encoding": "cp864"}, "cp864 lacks a character of delimiter '%'"),
    ({"null": "𠮷", "encoding": "gbk"}, "gbk lacks a character of null '𠮷'"),
    ({"true": "是", "encoding": "cp1252"}, "cp1252 lacks a character of true '是'"),
    ({"timezone": "Mars/Base"}, "options.timezone: .* is not a time zone"),
    ({"date_format": ""}, "options.date_format: '' is not allowed"),
    ({"datetime_format": "%" * 256}, "options.datetime_format: "),
]


@pytest.mark.parametrize(("options", "message"), REFUSED, ids=lambda each: repr(each)[:40])
def test_options_that_no_file_can_have_are_refused_with_the_reason(
    options: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidOptions, match=message):
        CsvOptions.parse(options)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"null": "x" * 100}, f"a,1,{'x' * 100}"),
        ({"null": "\0"}, "a,1,\0"),
        ({"null": "=", "formula_guard": "reject"}, "a,1,="),
        ({"null": " "}, "a,1, "),
        ({"null": "ID"}, "a,1,ID"),
        ({"decimal": ",", "delimiter": ";"}, "a;1;"),
        ({"delimiter": "\x7f"}, "a\x7f1\x7f"),
    ],
    ids=repr,
)
def test_unlikely_options_that_a_file_can_have_are_written(
    options: dict[str, Any], line: str
) -> None:
    columns = {"t": ["a"], "n": [1], "nothing": pa.nulls(1)}
    assert file_of(columns, header=False, quoting="minimal", **options).decode() == f"{line}\n"


def test_warnings_count_the_cells_of_every_block_and_the_names() -> None:
    """Blocks are formatted in threads, and their counts are added up."""
    choose = random.Random(4180).choices
    texts = choose(["a", "=1", "𠮷", "张", None, "", "-𠮷", "\0"], k=100_000)
    _, changed = changes(
        {"=𠮷": texts, "+": [1] * len(texts)},
        encoding="gbk", encoding_errors="replace", formula_guard="prefix",
    )  # fmt: skip
    assert changed == {
        "CHARACTERS_REPLACED": sum("𠮷" in (each or "") for each in texts) + 1,
        "FORMULAS_GUARDED": sum((each or " ")[0:1] in ("=", "-", "\0") for each in texts) + 2,
    }


def test_a_pyarrow_that_quotes_by_other_types_writes_no_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its writer is trusted with types that no batch has: the next release may think otherwise."""
    monkeypatch.setattr(assembly, "_written", lambda *_args: pa.py_buffer(b'""""",""""\n,\n'))
    with pytest.raises(RuntimeError, match=r"install the version that constraints\.txt names"):
        assembly._check_pyarrow.__wrapped__()
