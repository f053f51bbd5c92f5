"""The command `export-client`, run through `main`, against a tiny export server."""

import hashlib
import io
import json
import os
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.flight as fl
import pyarrow.parquet
import pytest

import export_client
from export_client import Progress
from export_client.cli import _parser, main
from export_client.display import progress_text

TABLE = pa.table({"id": [1, 2, 3], "name": ["a", "b", "c"]})


FORMATS = {
    "csv": {
        "options": {
            "header": {"default": True, "description": "names the columns"},
            "quoting": {"default": "all", "description": "what to quote", "enum": ["all", "no"]},
        }
    }
}


class TinyServer(fl.FlightServerBase):
    """Keeps what was exported last as an Arrow stream, and tells about that one task."""

    def __init__(self) -> None:
        super().__init__("grpc://127.0.0.1:0")
        self.command: dict[str, Any] = {}
        self.table = TABLE
        self.content = b""

    @property
    def task(self) -> dict[str, Any]:
        return {
            "task_id": "t1",
            "state": "COMPLETED",
            "filename": self.command.get("filename", "orders.xlsx"),
            "rows": self.table.num_rows,
            "url": "https://files.example/t1",
            "url_expires_at": "2026-07-01T12:00:00.5Z",
            "sha256": hashlib.sha256(self.content).hexdigest(),
            "warnings": [{"code": "NAN", "message": "empty cells", "count": 2}],
        }

    def do_put(self, context: Any, descriptor: Any, reader: Any, writer: Any) -> None:
        self.command = json.loads(descriptor.command)
        writer.write(b'{"type": "accepted", "task_id": "t1", "state": "PROCESSING"}')
        if self.command["filename"] == "bad.xlsx":
            info = {"code": "INVALID_DATA", "message": "row 7\nis bad"}
            raise fl.FlightServerError("INVALID_DATA", json.dumps(info))
        batches = [chunk.data for chunk in reader if chunk.data is not None]
        self.table = pa.Table.from_batches(batches)
        self.content = b"file of " + json.dumps(self.table.to_pydict()).encode()
        writer.write(json.dumps(self.task | {"type": "result"}).encode())

    def do_action(self, context: Any, action: Any) -> list[bytes]:
        answers: dict[str, Any] = {
            "url": {"url": "https://files.example/new", "url_expires_at": None},
            "formats": FORMATS,
            "health": {"status": "ok", "components": {}},
        }
        return [json.dumps(answers.get(action.type, self.task)).encode()]

    def get_flight_info(self, context: Any, descriptor: Any) -> Any:
        endpoint = fl.FlightEndpoint(descriptor.path[0], [])
        return fl.FlightInfo(pa.schema([("data", pa.binary())]), descriptor, [endpoint], 1, -1)

    def do_get(self, context: Any, ticket: Any) -> Any:
        return fl.RecordBatchStream(pa.table({"data": pa.array([self.content], pa.binary())}))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[TinyServer]:
    with TinyServer() as running:
        monkeypatch.setenv("EXPORT_SERVER", f"grpc://127.0.0.1:{running.port}")
        yield running


def write_stream(path: Path) -> None:
    with pa.ipc.new_stream(path, TABLE.schema) as sink:
        sink.write_table(TABLE)


def write_file(path: Path) -> None:
    with pa.ipc.new_file(path, TABLE.schema) as sink:
        sink.write_table(TABLE)


@pytest.mark.parametrize(
    ("name", "write", "rows"),
    [
        ("orders.parquet", lambda path: pa.parquet.write_table(TABLE, path), 3),
        ("orders.csv", lambda path: pa.csv.write_csv(TABLE, path), None),
        ("orders.arrow", write_file, None),
        ("stream.arrow", write_stream, None),
    ],
)
def test_a_file_of_each_kind_is_exported(
    server: TinyServer,
    tmp_path: Path,
    name: str,
    write: Callable[[Path], None],
    rows: int | None,
) -> None:
    """A Parquet file knows its rows, so that the progress is a true percentage."""
    write(tmp_path / name)
    assert main(["export", str(tmp_path / name), "--to", "orders.xlsx"]) == 0
    assert server.table.to_pydict() == TABLE.to_pydict()
    assert server.command.get("rows") == rows


@pytest.mark.parametrize("name", ["orders.parquet", "orders.csv", "orders.arrow", "-"])
def test_content_that_is_not_what_it_says_is_named(
    server: TinyServer,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(b"")
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"PK")))
    assert main(["export", name, "--to", "orders.xlsx"]) == 1
    shown = "standard input" if name == "-" else name
    assert capsys.readouterr().err.startswith(f"export-client: INPUT_ERROR: {shown}: ")


def test_standard_input_is_exported_as_an_arrow_stream(
    server: TinyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, TABLE.schema) as stream:
        stream.write_table(TABLE)
    sink.seek(0)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=sink))
    assert main(["export", "-", "--to", "orders.xlsx"]) == 0
    assert server.table == TABLE


@pytest.fixture
def orders(tmp_path: Path) -> str:
    pa.parquet.write_table(TABLE, tmp_path / "orders.parquet")
    return str(tmp_path / "orders.parquet")


def test_options_are_json_or_text(server: TinyServer, orders: str) -> None:
    arguments = ["--option", "header=false", "--option", "delimiter=;", "--option", 'null="1"']
    assert main(["export", orders, "--to", "a.csv", "--request-id", "r", *arguments]) == 0
    assert server.command["options"] == {"header": False, "delimiter": ";", "null": "1"}
    assert server.command["request_id"] == "r"


def test_an_export_is_shown_and_stored(
    server: TinyServer, orders: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "here.xlsx"
    assert main(["export", orders, "--to", "orders.xlsx", "--output", str(target)]) == 0
    assert target.read_bytes() == server.content
    out, err = capsys.readouterr()
    assert "url             https://files.example/t1\n" in out
    assert "warning         NAN: empty cells (2)\n" in out
    assert "url_expires_at  2026-07-01 12:00:00 UTC\n" in out
    assert err == ""


def test_an_export_that_could_not_be_stored_is_not_begun(
    server: TinyServer, orders: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "orders.xlsx").touch()
    export = ["export", orders, "--to", "orders.xlsx", "--output"]
    assert main([*export, str(tmp_path)]) == 1
    err = f"FILE_EXISTS: {tmp_path / 'orders.xlsx'} exists already; --overwrite replaces it"
    assert capsys.readouterr().err == f"export-client: {err}\n"
    assert main([*export, str(tmp_path / "nowhere" / "a.xlsx")]) == 1
    err = f"INPUT_ERROR: {tmp_path / 'nowhere'}: No such file or directory"
    assert capsys.readouterr().err == f"export-client: {err}\n"
    assert server.command == {}


def test_progress_is_one_line_on_a_terminal(
    server: TinyServer, orders: str, capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert main(["export", orders, "--to", "orders.xlsx"]) == 0
    assert capsys.readouterr().err.startswith("\rprocessing: 0 rows, 0.0 MB\r")


@pytest.mark.parametrize(
    ("figures", "text"),
    [
        ({"state": "QUEUED", "position": 1}, "waiting, 1st in line"),
        ({"state": "QUEUED", "position": 2}, "waiting, 2nd in line"),
        ({"state": "QUEUED", "position": 3}, "waiting, 3rd in line"),
        ({"state": "QUEUED", "position": 11}, "waiting, 11th in line"),
        ({"state": "QUEUED", "position": 1122}, "waiting, 1,122nd in line"),
        ({"state": "QUEUED", "position": 1113}, "waiting, 1,113th in line"),
        ({"state": "QUEUED"}, "queued: 0 rows, 0.0 MB"),
        ({"rows_per_second": 0.4}, "processing: 0 rows, 0.0 MB, 0 rows/s"),
        (
            {"rows": 1_200_000, "bytes": 4_560_000, "rows_per_second": 412_345.6},
            "processing: 1,200,000 rows, 4.6 MB, 412,346 rows/s",
        ),
        (
            {"rows": 9, "rows_per_second": 1.0, "eta_seconds": 59.6},
            "processing: 9 rows, 0.0 MB, 1 rows/s, 60 s left",
        ),
        ({"eta_seconds": 540.0}, "processing: 0 rows, 0.0 MB, 9 min left"),
        ({"eta_seconds": 9000.0}, "processing: 0 rows, 0.0 MB, 2.5 h left"),
    ],
)
def test_progress_is_told_in_a_few_words(figures: dict[str, Any], text: str) -> None:
    answer = {"type": "progress", "task_id": "t1", "state": "PROCESSING"} | figures
    assert progress_text(Progress.from_json(answer)) == text


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["status", "t1"], {"task_id": "t1", "state": "COMPLETED"}),
        (["status", "--request-id", "r1"], {"task_id": "t1"}),
        (["list", "--state", "completed", "--limit", "1"], {"task_id": "t1"}),
        (["cancel", "t1"], {"task_id": "t1"}),
        (["url", "t1", "--expires-in", "60"], {"url": "https://files.example/new"}),
        (["health"], {"status": "ok"}),
    ],
)
def test_every_command_has_a_json_form_of_one_line_and_one_for_people(
    server: TinyServer,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    expected: dict[str, Any],
) -> None:
    assert main([*arguments, "--json"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line).items() >= expected.items()
    assert main(arguments) == 0
    assert str(next(iter(expected.values()))).split("'")[0] in capsys.readouterr().out


def test_the_formats_are_one_line_an_option(
    server: TinyServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["formats"]) == 0
    assert [line.split(maxsplit=2) for line in capsys.readouterr().out.splitlines()] == [
        ["csv"],
        ["header", "true", "names the columns"],
        ["quoting", '"all"', "what to quote (all, no)"],
    ]
    assert main(["formats", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == FORMATS


def test_a_download_prints_where_the_file_is(
    server: TinyServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "f.xlsx"
    assert main(["download", "t1", "--output", str(target)]) == 0
    assert capsys.readouterr().out == f"{target}\n"
    assert main(["download", "t1", "--output", str(target), "--json"]) == 1
    assert capsys.readouterr().err.startswith("export-client: FILE_EXISTS: ")
    assert main(["download", "t1", "--output", str(target), "--overwrite", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"path": str(target)}


def test_an_error_is_one_line_with_its_code(
    server: TinyServer, orders: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", orders, "--to", "bad.xlsx"]) == 1
    assert capsys.readouterr().err == "export-client: INVALID_DATA: row 7 is bad\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["export", "orders.xls", "--to", "a.csv"], "by its extension '.xls'; available: .parquet"),
        (["export", "nowhere.csv", "--to", "a.csv"], "R: nowhere.csv: No such file or directory"),
        (["health", "--server", "localhost:8815"], "write grpc://host:port"),
        (["health", "--server", "grpc://127.0.0.1:1"], "CONNECTION_FAILED: cannot reach"),
    ],
)
def test_what_cannot_be_read_or_reached_is_said_in_one_line(
    server: TinyServer, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert main(arguments) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert words in line


@pytest.mark.parametrize(
    "arguments", [[], ["frob"], ["export", "a.csv"], ["export", "-", "--to", "a", "--option", "x"]]
)
def test_wrong_usage_exits_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: export-client" in capsys.readouterr().err


README = Path(__file__).parents[2] / "clients" / "python" / "README.md"
COMMANDS = [
    line for line in README.read_text("utf-8").splitlines() if line[:14] == "export-client "
]


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_of_the_readme_is_one(line: str) -> None:
    assert callable(_parser().parse_args(shlex.split(line)[1:]).run)


def test_the_readme_names_every_error() -> None:
    kinds = [name for name in export_client.__all__ if _is_error(getattr(export_client, name))]
    assert all(f"`{name}`" in README.read_text("utf-8") for name in kinds)


def test_the_example_of_the_readme_runs(
    server: TinyServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    example = README.read_text("utf-8").split("```python\n")[1].split("```")[0]
    code = example.replace("grpc://127.0.0.1:8815", os.environ["EXPORT_SERVER"])
    exec(compile(code, str(README), "exec"), {"frame": TABLE})
    assert (tmp_path / "orders.xlsx").read_bytes() == server.content


def _is_error(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, export_client.ExportError)
