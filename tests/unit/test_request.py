"""Descriptors as they are read, before anything is started."""

import json
from typing import Any

import pytest

from exporters import CsvOptions, XlsxOptions
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
        ("a.csv", "xlsx", "xlsx"),
        ("report", "csv", "csv"),
    ],
)
def test_the_format_is_the_one_given_or_the_extension(
    filename: str, given: str | None, expected: str
) -> None:
    assert request(filename=filename, format=given).format == expected


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
        ({"filename": "a.csv", "format": "xls"}, ["'xls'", "available: csv, xlsx"]),
        ({"filename": "a.csv", "columns": [{"name": 1}]}, ["columns[0].name"]),
        ({"filename": "a.csv", "columns": [{"name": "a", "width": 0}]}, ["columns[0].width"]),
        ({"filename": "a.csv", "columns": {}}, ["columns"]),
        ({"filename": "a.csv", "options": []}, ["options"]),
        ({"filename": "a.csv", "rows": 2**63}, ["rows"]),
        ({"filename": "a.csv", "rows": 1.0}, ["rows"]),
        ({"filename": "a.csv", "request_id": 5}, ["request_id"]),
        ({"filename": "a.csv", "options": {"null": "\ud800"}}, ["not valid Unicode", "\\ud800"]),
        ({"filename": "a.csv", "columns": [{"name": "\ud83d"}]}, ["not valid Unicode", "\\ud83d"]),
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
