"""Bad input: a clear error, nothing left behind, and a server that goes on."""

import json
from collections.abc import Iterator

import pyarrow as pa
import pytest

from tests.support.exports import SCHEMA, Put, csv_of, export, refused
from tests.support.site import Running


@pytest.fixture(autouse=True)
def next_export_is_fine(server: Running) -> Iterator[None]:
    """Whatever a test sent, the server takes the next export as if nothing had been."""
    yield
    result = export(server.client, 2)
    assert server.web.get(result["url"]).content == csv_of(2)
    assert server.site.spools() == []


BAD_COMMANDS: dict[str, tuple[bytes | dict[str, object], str]] = {
    "not JSON": (b"filename=orders.csv", "the descriptor is not JSON"),
    "empty": (b"", "the descriptor is not JSON"),
    "not UTF-8": (b'{"filename": "\xff.csv"}', "the descriptor is not JSON in UTF-8"),
    "too deep": (b"[" * 100_000, "nested too deeply"),
    "NaN": (b'{"filename": "a.csv", "rows": NaN}', "NaN is not JSON"),
    "a key twice": (b'{"filename": "a.csv", "filename": "b.csv"}', "a key stands twice"),
    "a list": (b"[]", "send an object"),
    "no filename": ({"format": "csv"}, "filename is missing"),
    "unknown key": ({"filename": "a.csv", "colums": []}, "'colums'; did you mean 'columns'?"),
    "unknown format": ({"filename": "a", "format": "xls"}, "unknown format 'xls'"),
    "unknown extension": ({"filename": "a.pdf"}, "does not tell the format"),
    "rows below zero": ({"filename": "a.csv", "rows": -1}, "rows: -1 is not allowed"),
    "rows as text": ({"filename": "a.csv", "rows": "3"}, "rows: '3' is not allowed"),
    "rows true": (
        {"filename": "a.csv", "rows": True},
        "is not allowed; input should be a valid integer",
    ),
    "wait as text": ({"filename": "a.csv", "wait": "no"}, "wait: 'no' is not allowed"),
    "long request_id": ({"filename": "a.csv", "request_id": "x" * 129}, "request_id: "),
    "empty request_id": ({"filename": "a.csv", "request_id": ""}, "request_id: "),
    "path upwards": ({"filename": "../a.csv"}, "path separator"),
    "absolute path": ({"filename": "/etc/a.csv"}, "path separator"),
    "Windows path": ({"filename": "c:\\a.csv"}, "path separator"),
    "a directory": ({"filename": "..", "format": "csv"}, "names a directory"),
    "control character": ({"filename": "a\n.csv"}, "control character"),
    "NUL": ({"filename": "a\0.csv"}, "control character"),
    "surrogate": (b'{"filename": "\\ud800.csv"}', "\\ud800"),
    "long filename": ({"filename": "x" * 252 + ".csv"}, "256 bytes in UTF-8"),
    "unknown option": ({"filename": "a.csv", "options": {"delimeter": ";"}}, "'delimiter'"),
    "option of another format": ({"filename": "a.csv", "options": {"sheet_name": "A"}}, "csv"),
    "bad option": ({"filename": "a.csv", "options": {"delimiter": ";;"}}, "options.delimiter"),
    "surrogate in an option": (b'{"filename": "a.csv", "options": {"\\ud800": 1}}', "\\ud800"),
    "no column": ({"filename": "a.csv", "columns": []}, "at least 1 item"),
    "column without a name": (
        {"filename": "a.csv", "columns": [{}]},
        "columns[0]: an entry has no",
    ),
    "unknown key of a column": (
        {"filename": "a.csv", "columns": [{"name": "id", "heading": "x"}]},
        "unknown key 'columns[0].heading'; did you mean 'header'?",
    ),
}


@pytest.mark.parametrize(("command", "message"), BAD_COMMANDS.values(), ids=BAD_COMMANDS)
def test_a_bad_descriptor_is_refused_before_there_is_a_task(
    server: Running, command: bytes | dict[str, object], message: str
) -> None:
    before = server.actions.ids()
    with refused("INVALID_DESCRIPTOR", str(server.site.root)) as refusal:
        Put(server.client, command).answers()
    assert message in refusal.message
    assert refusal.task_id is None
    assert not refusal.retryable
    assert server.actions.ids() == before


@pytest.mark.parametrize("text", ["x", "中", "😀", "\\", '"'])
def test_a_very_long_value_makes_a_message_that_still_arrives(server: Running, text: str) -> None:
    for command in (
        {"filename": text * 5000 + "/"},
        {"filename": "a.csv", text * 5000: 1},
        {"filename": "a.csv", "format": text * 5000},
        {"filename": "a.csv", "options": {text * 5000: 1}},
    ):
        with refused("INVALID_DESCRIPTOR"):
            Put(server.client, command).answers()


def test_a_huge_descriptor_is_refused(server: Running) -> None:
    command = json.dumps({"filename": "a.csv", "options": {"x": "y" * 5_000_000}}).encode()
    with refused("INVALID_DESCRIPTOR") as refusal:
        Put(server.client, command).answers()
    assert "at most 4194304" in refusal.message


UNION = pa.UnionArray.from_sparse(pa.array([0], pa.int8()), [pa.array([1])]).type
BAD_SCHEMAS = {
    "no columns": (pa.schema([]), "INVALID_SCHEMA"),
    "a name twice": (pa.schema([("a", pa.int64()), ("a", pa.string())]), "INVALID_SCHEMA"),
    "union": (pa.schema([("a", UNION)]), "UNSUPPORTED_TYPE"),
    "struct with a union": (pa.schema([("a", pa.struct([("b", UNION)]))]), "UNSUPPORTED_TYPE"),
    "dictionary of unions": (
        pa.schema([("a", pa.dictionary(pa.int32(), pa.list_(UNION)))]),
        "UNSUPPORTED_TYPE",
    ),
    "deep": (pa.schema([("a" * 5000, pa.list_(pa.list_(UNION)))]), "UNSUPPORTED_TYPE"),
}


@pytest.mark.parametrize("filename", ["a.csv", "a.xlsx", "a.ndjson", "a.parquet", "a.arrow"])
@pytest.mark.parametrize(("schema", "code"), BAD_SCHEMAS.values(), ids=BAD_SCHEMAS)
def test_a_schema_that_makes_no_table_fails_the_task(
    server: Running, schema: pa.Schema, code: str, filename: str
) -> None:
    put = Put(server.client, {"filename": filename}, schema)
    task_id = put.accepted()
    with refused(code, str(server.site.root)) as refusal:
        put.answers()
    assert refusal.task_id == task_id
    assert not refusal.retryable
    server.assert_failed(task_id, code)


BAD_COLUMNS = {
    "missing": ([{"name": "nam"}], "INVALID_SCHEMA", "column 'nam' is not in the stream"),
    "twice": ([{"name": "id"}, {"name": "id"}], "INVALID_DESCRIPTOR", "two columns"),
    "two of one header": (
        [{"name": "id", "header": "x"}, {"name": "name", "header": "x"}],
        "INVALID_DESCRIPTOR",
        "the header 'x'",
    ),
}


@pytest.mark.parametrize(("columns", "code", "message"), BAD_COLUMNS.values(), ids=BAD_COLUMNS)
@pytest.mark.parametrize("filename", ["a.csv", "a.xlsx", "a.ndjson", "a.parquet", "a.arrow"])
def test_columns_that_the_stream_cannot_give_fail_the_task(
    server: Running, columns: list[object], code: str, message: str, filename: str
) -> None:
    put = Put(server.client, {"filename": filename, "columns": columns})
    task_id = put.accepted()
    with refused(code) as refusal:
        put.send()
        put.answers()
    assert message in refusal.message
    server.assert_failed(task_id, code)


def test_a_client_that_sends_on_after_a_refusal_is_still_told_the_refusal(server: Running) -> None:
    put = Put(server.client, {"filename": "a.csv", "columns": [{"name": "absent"}]})
    task_id = put.accepted()
    with refused("INVALID_SCHEMA"):
        try:
            for start in range(0, 100_000, 1000):
                put.send(1000, start)
        finally:
            put.answers()
    server.assert_failed(task_id, "INVALID_SCHEMA")


def test_too_many_columns_for_a_sheet_fail_the_task(server: Running) -> None:
    schema = pa.schema([(f"c{number}", pa.int64()) for number in range(16_385)])
    put = Put(server.client, {"filename": "a.xlsx"}, schema)
    task_id = put.accepted()
    with refused("LIMIT_EXCEEDED"):
        put.answers()
    server.assert_failed(task_id, "LIMIT_EXCEEDED")


def test_the_schema_used_here_is_a_good_one(server: Running) -> None:
    assert Put(server.client, {"filename": "a.csv", "rows": 0}, SCHEMA).result()["rows"] == 0
