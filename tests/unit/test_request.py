"""Descriptors as they are read, before anything is started."""

import json
from typing import Any

import pytest

from exporters import CsvOptions, NdjsonOptions, XlsxOptions
from exporters.options import Styles
from flight_server.errors import ErrorCode, ServiceError
from flight_server.request import ExportRequest, parse_command, parse_path


def request(**command: object) -> ExportRequest:
    return parse_command(json.dumps({"filename": "a.csv"} | command).encode())


def refusal(command: Any) -> str:
    """Why `command` is refused."""
    body = command if isinstance(command, bytes) else json.dumps(command).encode()
    with pytest.raises(ServiceError) as raised:
        parse_command(body)
    assert raised.value.code is ErrorCode.INVALID_DESCRIPTOR
    return raised.value.message


@pytest.mark.parametrize("request_id", ["a\\u0000b", "\\u0000"])
def test_a_request_id_that_no_database_keeps_is_refused(request_id: str) -> None:
    body = f'{{"filename": "a.csv", "request_id": "{request_id}"}}'.encode()
    with pytest.raises(ServiceError, match="INVALID_DESCRIPTOR: request_id has a character"):
        parse_command(body)


def test_everything_but_the_filename_has_a_default() -> None:
    parsed = request()
    assert (parsed.filename, parsed.format) == ("a.csv", "csv")
    assert parsed.content_type == "text/csv; charset=utf-8"
    assert parsed.columns == ()
    assert parsed.options == CsvOptions()
    assert (parsed.request_id, parsed.rows, parsed.wait) == (None, None, True)


def test_a_path_is_the_filename() -> None:
    assert (
        parse_path(["订单.xlsx".encode()]).fingerprint == request(filename="订单.xlsx").fingerprint
    )


@pytest.mark.parametrize("path", [[], [b"a.csv", b"b.csv"], [b"\xff.csv"], [b""], [b"a/b.csv"]])
def test_another_path_is_refused(path: list[bytes]) -> None:
    with pytest.raises(ServiceError) as raised:
        parse_path(path)
    assert raised.value.code is ErrorCode.INVALID_DESCRIPTOR


@pytest.mark.parametrize(
    ("filename", "given", "expected"),
    [
        ("a.csv", None, "csv"),
        ("A.CSV", None, "csv"),
        ("a.b.xlsx", None, "xlsx"),
        ("a.jsonl", None, "ndjson"),
        ("a.Feather", None, "arrow"),
        ("a.parquet", None, "parquet"),
        ("a.csv", "xlsx", "xlsx"),
        ("report", "csv", "csv"),
    ],
)
def test_the_format_is_the_one_given_or_the_extension(
    filename: str, given: str | None, expected: str
) -> None:
    assert request(filename=filename, format=given).format == expected


@pytest.mark.parametrize(
    ("filename", "options", "stored", "content_type"),
    [
        ("订单.csv.gz", {}, "订单.csv.gz", "application/gzip"),
        ("A.CSV.ZST", {}, "A.CSV.ZST", "application/zstd"),
        ("a.csv.zip", {}, "a.csv.zip", "application/zip"),
        ("a.csv", {"compression": "gzip"}, "a.csv.gz", "application/gzip"),
        ("a.csv", {"rows_per_file": 5}, "a.csv.zip", "application/zip"),
    ],
)
def test_a_name_tells_the_compression_and_one_that_does_not_gets_its_suffix(
    filename: str, options: dict[str, object], stored: str, content_type: str
) -> None:
    parsed = request(filename=filename, options=options)
    assert (parsed.format, parsed.filename, parsed.content_type) == ("csv", stored, content_type)


def test_every_extension_of_a_format_may_have_a_suffix_behind_it() -> None:
    parsed = request(filename="a.jsonl.gz")
    assert (parsed.format, parsed.filename) == ("ndjson", "a.jsonl.gz")
    assert parsed.content_type == "application/gzip"


def test_a_file_keeps_its_extension_in_a_zip() -> None:
    options = request(filename="a.jsonl.zip").options
    assert isinstance(options, NdjsonOptions)
    assert options.inner_name(0) == "a.jsonl"


def test_a_path_tells_the_compression_too() -> None:
    parsed = parse_path([b"a.csv.gz"])
    assert (parsed.format, parsed.filename, parsed.content_type) == (
        "csv",
        "a.csv.gz",
        "application/gzip",
    )


def test_a_suffix_behind_a_name_of_a_format_given_tells_it_too() -> None:
    parsed = request(filename="a.zip", format="csv")
    assert (parsed.filename, parsed.content_type) == ("a.zip", "application/zip")
    assert request(filename="a.zip", format="xlsx").filename == "a.zip"


def test_options_are_those_of_the_format() -> None:
    assert request(options={"delimiter": "tab"}).options == CsvOptions(delimiter="\t")
    parsed = request(filename="a.xlsx", options={"sheet_name": "订单"})
    assert parsed.options == XlsxOptions(sheet_name="订单")


def test_columns_keep_their_order_and_settings() -> None:
    [first, second] = request(
        columns=[{"name": "b", "header": "B", "width": 12.5, "format": "0.00"}, {"name": "a"}]
    ).columns
    assert (first.name, first.header, first.width, first.format) == ("b", "B", 12.5, "0.00")
    assert (second.name, second.header) == ("a", None)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ({}, ["filename", "required"]),
        ({"filename": None}, ["filename", "valid string"]),
        ({"filename": "a.csv", "formt": "csv"}, ["'formt'", "'format'"]),
        ({"filename": "a.csv", "zzz": 1}, ["'zzz'", "filename, format, request_id"]),
        ({"filename": "a.csv", "format": "xls"}, ["'xls'", "available: arrow, csv, ndjson"]),
        ({"filename": "a.csv", "columns": [{"name": 1}]}, ["columns[0].name"]),
        ({"filename": "a.csv", "columns": [{"name": "a", "width": 0}]}, ["columns[0].width"]),
        ({"filename": "a.csv", "columns": {}}, ["columns"]),
        ({"filename": "a.csv", "options": []}, ["options"]),
        ({"filename": "a.csv", "rows": 2**63}, ["rows"]),
        ({"filename": "a.csv", "rows": 1.0}, ["rows"]),
        ({"filename": "a.csv", "request_id": 5}, ["request_id"]),
        ({"filename": "a.csv", "options": {"null": "\ud800"}}, ["not valid Unicode", "\\ud800"]),
        ({"filename": "a.csv", "columns": [{"name": "\ud83d"}]}, ["not valid Unicode", "\\ud83d"]),
        ({"filename": "a.gz"}, ["'a.gz' does not tell the format", "csv, feather, jsonl, ndjson"]),
        ({"filename": "a.xlsx.gz"}, ["'a.xlsx.gz' does not tell the format"]),
        ({"filename": "a.csv.bz2"}, ["'a.csv.bz2' does not tell the format"]),
        (
            {"filename": "a.csv.gz", "options": {"compression": "zip"}},
            ["options.compression: 'zip'", "'a.csv.gz' ends in .gz"],
        ),
        (
            {"filename": "a.csv.zst", "options": {"rows_per_file": 5}},
            ["options.rows_per_file", "'a.csv.zst' ends in .zst; use .zip"],
        ),
        (
            {"filename": "a" * 249 + ".csv", "options": {"compression": "gzip"}},
            ["with '.gz' at its end, the filename has 256 bytes in UTF-8; at most 255"],
        ),
        ({"filename": "a.xlsx", "options": {"compression": "gzip"}}, ["'gzip'", "'small'"]),
        (b"nonsense", ["not JSON"]),
        (b"5", ["send an object"]),
        (b'{"filename": "a.csv", "rows": Infinity}', ["Infinity"]),
        (b'{"filename": "a.csv", "options": {"null": "", "null": "x"}}', ["twice"]),
    ],
)
def test_a_refusal_names_the_key_the_value_and_what_is_right(
    command: object, words: list[str]
) -> None:
    message = refusal(command)
    for word in words:
        assert word in message


def styled(name: str, styles: Styles, **options: object) -> ExportRequest:
    """A request for a workbook in a style."""
    command = {"filename": "a.xlsx", "options": {"style": name} | options}
    return parse_command(json.dumps(command).encode(), {"xlsx": styles})


class TestStyles:
    def test_one_of_the_configuration_may_be_named(self) -> None:
        parsed = styled("house", {"house": {"autofilter": True}})
        assert parsed.options == XlsxOptions(style="house", autofilter=True)

    def test_those_of_a_format_are_for_no_other(self) -> None:
        assert parse_path([b"a.csv"], {"xlsx": {"plain": {"autofilter": True}}}) == request()

    def test_an_unknown_one_is_refused_with_those_there_are(self) -> None:
        with pytest.raises(ServiceError) as raised:
            styled("other", {"house": {}})
        assert raised.value.code is ErrorCode.INVALID_DESCRIPTOR
        assert "'other' is not a style; there are: banded, house, plain" in raised.value.message


class TestFingerprint:
    def test_it_follows_from_what_is_asked_and_not_from_how_it_is_written(self) -> None:
        spelt_out = b' {"wait":false, "format":"csv" , "filename":"a.csv","request_id":"x"}'
        assert parse_command(spelt_out).fingerprint == request().fingerprint

    @pytest.mark.parametrize(
        "other",
        [
            {"filename": "b.csv"},
            {"format": "xlsx"},
            {"rows": 0},
            {"columns": [{"name": "a"}]},
            {"options": {"header": False}},
        ],
    )
    def test_whatever_decides_the_file_is_in_it(self, other: dict[str, object]) -> None:
        assert request(**other).fingerprint != request().fingerprint

    def test_a_compression_told_by_the_name_asks_for_the_same_as_one_in_the_options(self) -> None:
        told = request(filename="a.csv.gz")
        asked = request(filename="a.csv", options={"compression": "gzip"})
        both = request(filename="a.csv.gz", options={"compression": "gzip"})
        assert told.fingerprint == asked.fingerprint == both.fingerprint
        assert told.fingerprint != request().fingerprint

    def test_a_default_spelt_out_asks_for_the_same(self) -> None:
        assert request(options={"header": True}).fingerprint == request().fingerprint

    def test_it_changes_with_what_a_style_says(self) -> None:
        before, after = {"house": {"autofilter": True}}, {"house": {"landscape": True}}
        assert styled("house", before).fingerprint == styled("house", before).fingerprint
        assert styled("house", before).fingerprint != styled("house", after).fingerprint

    def test_it_changes_with_the_style_of_who_names_none(self) -> None:
        changed = {"xlsx": {"plain": {"autofilter": True}}}
        path = [b"a.xlsx"]
        assert parse_path(path, changed).fingerprint != parse_path(path).fingerprint

    def test_it_stays_when_a_style_that_is_not_used_changes(self) -> None:
        others = {"other": {"autofilter": True}}
        assert styled("report", others).fingerprint == styled("report", {}).fingerprint

    def test_it_stays_when_the_caller_goes_before_what_has_changed(self) -> None:
        before, after = {"house": {"autofilter": True}}, {"house": {"autofilter": False}}
        first, second = (styled("house", each, autofilter=True) for each in (before, after))
        assert first.fingerprint == second.fingerprint

    def test_the_name_of_a_style_is_not_in_it(self) -> None:
        styles = {"one": {"autofilter": True}, "two": {"autofilter": True}}
        spelt_out = request(filename="a.xlsx", options={"autofilter": True})
        assert styled("one", styles).fingerprint == styled("two", styles).fingerprint
        assert styled("one", styles).fingerprint == spelt_out.fingerprint


class TestTransforms:
    def test_a_column_may_be_masked_mapped_or_made(self) -> None:
        columns = [
            {"name": "email", "mask": "email"},
            {"name": "status", "map": {"1": "open"}, "otherwise": "?"},
            {"header": "Source", "value": "web shop"},
            {"header": "Yes", "value": True},
            {"header": "No.", "row_number": True},
            {"header": "From", "row_number": 0, "width": 5},
        ]
        email, status, source, yes, number, from_zero = request(columns=columns).columns
        assert (email.name, email.mask) == ("email", "email")
        assert (status.map, status.otherwise) == ({"1": "open"}, "?")
        assert (source.name, source.header, source.value) == (None, "Source", "web shop")
        assert yes.value is True
        assert (number.row_number, from_zero.row_number, from_zero.width) == (True, 0, 5)

    @pytest.mark.parametrize(
        ("column", "words"),
        [
            ({}, ["columns[0]: an entry has no 'name', 'value' or 'row_number'"]),
            (
                {"name": "a", "mask": "emial"},
                ["columns[0]: 'a' has the mask 'emial'", "mean 'email'?"],
            ),
            ({"name": "a", "mask": 5}, ["columns[0].mask: 5 is not allowed", "valid string"]),
            ({"name": "a", "maks": "email"}, ["'columns[0].maks'", "did you mean 'mask'"]),
            ({"nam": "a"}, ["'columns[0].nam'", "did you mean 'name'"]),
            ({"name": "a", "map": {"1": 2}}, ["columns[0].map.1: 2 is not allowed"]),
            ({"name": "a", "map": ["b"]}, ["columns[0].map: ['b'] is not allowed"]),
            ({"name": "a", "map": {}}, ["1 to 10,000 texts"]),
            ({"name": "a", "map": {"1": "b"}, "mask": "email"}, ["'mask' and 'map'"]),
            ({"name": "a", "mask": "email", "type": "string"}, ["'mask' and 'type'"]),
            ({"name": "a", "otherwise": "b"}, ["'otherwise' without a 'map'"]),
            ({"name": "a", "value": 1}, ["'a' has 'name' and 'value'"]),
            ({"header": "a", "value": {}}, ["'a' has the value {}"]),
            ({"header": "a", "value": 1e400}, ["Infinity is not JSON"]),
            ({"header": "a", "row_number": -1}, ["'a' has the row_number -1", "from 0 to 10^15"]),
            ({"header": "a", "row_number": "1"}, ["'a' has the row_number '1'"]),
            ({"row_number": True}, ["has a 'row_number' and no 'header'"]),
            ({"header": "a", "value": "\ud800"}, ["not valid Unicode"]),
            ({"name": "a", "map": {"\ud800": "b"}}, ["not valid Unicode"]),
            ({"name": "a", "mask": "hash", "mask_key": "k"}, ["'columns[0].mask_key'"]),
        ],
    )
    def test_what_is_wrong_is_refused_in_words(
        self, column: dict[str, Any], words: list[str]
    ) -> None:
        message = refusal({"filename": "a.csv", "columns": [column]})
        for word in words:
            assert word in message

    @pytest.mark.parametrize(
        "column",
        [
            {"name": "a", "mask": "email"},
            {"name": "a", "mask": "hash"},
            {"name": "a", "map": {"1": "b"}},
            {"name": "a", "map": {"1": "b"}, "otherwise": ""},
            {"header": "a", "value": 1},
            {"header": "a", "value": True},
            {"header": "a", "value": False},
            {"header": "a", "value": 0},
            {"header": "a", "row_number": True},
            {"header": "a", "row_number": 0},
        ],
    )
    def test_each_makes_another_file(self, column: dict[str, Any]) -> None:
        prints = {
            request(columns=[each]).fingerprint
            for each in (column, {"name": "a"}, {"name": "a", "header": "a"})
        }
        assert len(prints) == 3

    def test_a_request_without_any_is_the_same_as_in_the_version_before_them(self) -> None:
        """Its fingerprint stands in state databases, beside the request ids of callers."""
        columns = [
            {"name": "b", "header": "B", "width": 12.5},
            {"name": "a", "type": "date", "format": "%Y"},
        ]
        assert request(columns=columns).fingerprint == (
            "e066d9073e9ae1dffc09b35ae6b3fcd80394b3f542d0715c0d2c683ecf0708a6"
        )
        assert request().fingerprint == (
            "09eaf0bb273c559bc9ee70e5ac9297900f89488638921bbf11720370500d1b77"
        )
