"""Masked, mapped and made columns, asked for over Flight."""

import csv
import hmac
import io
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from export_client import ExportClient, InvalidRequest
from flight_server import logs
from tests.conftest import StartServer
from tests.support.exports import Json, Put, refused, sheet_rows
from tests.support.site import Running, Site, running

PEOPLE = pa.record_batch(
    {
        "email": ["jane@example.com", "joe@example.org", None],
        "phone": pa.array([4930123456, 4930654321, None], pa.int64()),
        "card": ["4111111111111111", "", None],
        "status": pa.array([1, 2, 3], pa.int8()),
        "born": pa.array([date(1990, 5, 17), None, None]),
    }
)

COLUMNS: list[dict[str, Any]] = [
    {"header": "No.", "row_number": True},
    {"header": "Source", "value": "web shop"},
    {"name": "email", "mask": "email"},
    {"name": "email", "header": "id", "mask": "hash"},
    {"name": "phone", "mask": "phone"},
    {"name": "card", "mask": "last4"},
    {"name": "born", "mask": "redact"},
    {"name": "status", "map": {"1": "open", "2": "paid"}, "otherwise": "unknown"},
]

KEY = "a secret of sixteen or more"


def exported(server: Running, filename: str, *batches: pa.RecordBatch, **command: object) -> bytes:
    put = Put(server.client, {"filename": filename, "columns": COLUMNS} | command, PEOPLE.schema)
    for each in batches:
        put.send_batch(each)
    put.commit()
    return server.web.get(put.result()["url"]).content


def hashes(server: Running) -> list[str]:
    lines = csv.reader(io.StringIO(exported(server, "people.csv", PEOPLE).decode()))
    return [line[3] for line in lines][1:]


def test_csv_and_xlsx_have_the_same_cells(start_server: StartServer) -> None:
    server = start_server(f"security.mask_key={KEY}")
    digits = [
        hmac.digest(KEY.encode(), each.encode(), "sha256").hex()
        for each in ("jane@example.com", "joe@example.org")
    ]
    expected = [
        ["No.", "Source", "email", "id", "phone", "card", "born", "status"],
        [1, "web shop", "j***@example.com", digits[0], "******3456", "****1111", "***", "open"],
        [2, "web shop", "j***@example.org", digits[1], "******4321", "****", "", "paid"],
        [3, "web shop", "", "", "", "", "", "unknown"],
        [4, "web shop", "j***@example.com", digits[0], "******3456", "****1111", "***", "open"],
    ]
    batches = [PEOPLE, PEOPLE.slice(0, 1)]
    text = exported(server, "people.csv", *batches).decode()
    assert list(csv.reader(io.StringIO(text))) == [list(map(str, row)) for row in expected]
    assert sheet_rows(exported(server, "people.xlsx", *batches)) == expected


def test_hashes_stay_equal_over_a_restart_and_differ_between_servers(
    site: Site, tmp_path: Path
) -> None:
    with running(site) as server:
        before = hashes(server)
    with running(site) as server:
        assert hashes(server) == before
    with running(Site(tmp_path / "other")) as server:
        assert hashes(server)[:2] != before[:2]
    assert before[2] == ""


def test_a_configured_key_is_used_and_not_kept(site: Site) -> None:
    with running(site, f"security.mask_key={KEY}") as server:
        configured = hashes(server)
    assert KEY.encode() not in (site.root / "state.db").read_bytes()
    with running(site) as server:
        assert hashes(server) != configured


def test_no_masked_value_and_no_key_is_in_the_log(site: Site, start_server: StartServer) -> None:
    logs.configure("debug", "json", str(site.log))
    try:
        server = start_server(f"security.mask_key={KEY}")
        exported(server, "people.xlsx", PEOPLE)
        twice = pa.concat_batches([PEOPLE, PEOPLE])
        with refused("INVALID_DATA", "jane", "4930123456"):
            exported(server, "people.xlsx", twice, options={"split_by": "email"})
    finally:
        logs.reset()
    log = site.log.read_text()
    assert "split_by" in log
    for secret in (KEY, "jane@", "4930123456", "4111111111111111"):
        assert secret not in log


@pytest.mark.parametrize(
    ("column", "code", "words"),
    [
        ({"name": "email", "mask": "emial"}, "INVALID_DESCRIPTOR", "did you mean 'email'?"),
        ({"name": "emial", "mask": "email"}, "INVALID_SCHEMA", "did you mean 'email'?"),
        ({"name": "email", "map": {"1": 2}}, "INVALID_DESCRIPTOR", "columns[0].map.1: 2"),
        ({"header": "x", "row_number": -1}, "INVALID_DESCRIPTOR", "row_number -1"),
        ({"header": "x", "value": "soon", "type": "date"}, "INVALID_DESCRIPTOR", "'soon'"),
    ],
)
def test_what_is_wrong_is_refused_before_any_data(
    server: Running, column: Json, code: str, words: str
) -> None:
    with refused(code) as refusal:
        Put(server.client, {"filename": "a.csv", "columns": [column]}, PEOPLE.schema).answers()
    assert words in refusal.message


def test_the_python_client_passes_them_on(server: Running, tmp_path: Path) -> None:
    with ExportClient(server.flight, timeout=20) as client:
        task = client.export(
            PEOPLE, "people.csv", columns=[{"header": "No.", "row_number": 5}, *COLUMNS[2:3]]
        )
        lines = client.download(task, tmp_path).read_text().splitlines()
        assert lines == ['"No.","email"', '5,"j***@example.com"', '6,"j***@example.org"', "7,"]
        with pytest.raises(InvalidRequest, match="did you mean 'redact'"):
            client.export(PEOPLE, "a.csv", columns=[{"name": "email", "mask": "redacted"}])
