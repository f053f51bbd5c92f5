"""What README and docs say is what the code does."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import flight

import export_client
import exporters
from flight_server import request
from flight_server.errors import ErrorCode
from flight_server.transports.errors import FLIGHT_CLASSES
from tests.support.site import Running

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
PROTOCOL = (ROOT / "docs" / "protocol.md").read_text()
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "clients").glob("*/README.md")]
)


def fenced(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def run_python(code: str, directory: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=directory, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_make_target_in_a_document_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"^make ([a-z]+)|`make ([a-z]+)`", README, re.MULTILINE))
    assert {one or other for one, other in named} <= targets


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_to_a_file_leads_to_one(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text())
    missing = [link for link in links if not (document.parent / link).exists()]
    assert missing == []


def test_the_export_of_the_readme_works(server: Running, tmp_path: Path) -> None:
    (code,) = re.findall(r"<<'EOF'\n(.*?)^EOF$", README, re.MULTILINE | re.DOTALL)
    printed = run_python(code.replace("grpc://127.0.0.1:8815", server.flight), tmp_path)
    assert printed.startswith("COMPLETED 2 http://")


def test_the_export_of_the_protocol_page_works(server: Running, tmp_path: Path) -> None:
    (code,) = fenced(PROTOCOL, "python")
    printed = run_python(code.replace("grpc://127.0.0.1:8815", server.flight), tmp_path)
    assert printed.startswith("COMPLETED http://")


def test_the_commands_of_the_readme_are_commands() -> None:
    shell = "\n".join(fenced(README, "sh"))
    for program, command in re.findall(r"^\.venv/bin/(export-\w+) ([a-z-]+)", shell, re.MULTILINE):
        path = Path(sys.executable).with_name(program)
        done = subprocess.run(
            [path, command, "--help"],
            capture_output=True,
            text=True,
            timeout=60,
            env={**os.environ, "COLUMNS": "200"},
        )
        assert done.returncode == 0, f"{program} {command}: {done.stderr}"


def test_the_errors_of_the_protocol_page_are_those_of_the_code() -> None:
    rows = re.findall(r"^\| `([A-Z_]+)` \| `(Flight\w+)` \| (yes|no) \|$", PROTOCOL, re.MULTILINE)
    assert rows == [
        (
            code.value,
            FLIGHT_CLASSES.get(code, flight.FlightServerError).__name__,
            "yes" if code.retryable else "no",
        )
        for code in ErrorCode
    ]


def test_the_keys_of_the_protocol_page_are_those_of_a_request() -> None:
    keys = r"^ *\| `(\w+)` \|"
    export, _, rest = PROTOCOL.partition("## Columns")
    columns = rest.partition("\n## ")[0]
    assert re.findall(keys, export, re.MULTILINE) == list(request._Command.model_fields)
    assert re.findall(keys, columns, re.MULTILINE) == list(request._Column.model_fields)


def test_the_actions_of_the_protocol_page_are_those_of_the_door(server: Running) -> None:
    section = PROTOCOL.split("## Actions")[1].split("##")[0]
    named = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    assert named == [action.type for action in server.client.list_actions()]


def test_the_task_of_the_protocol_page_has_the_keys_of_a_task(server: Running) -> None:
    listed = re.search(r"One JSON object everywhere: `([^`]+)`", PROTOCOL)
    assert listed is not None
    with export_client.ExportClient(server.flight) as client:
        task = client.export(pa.table({"id": [1]}), "keys.csv")
    view = server.actions.one("status", task_id=task.task_id)
    assert listed[1].split(", ") == list(view)


@pytest.mark.parametrize("package", [exporters, export_client], ids=lambda each: each.__name__)
def test_the_public_names_are_sorted_and_exist(package: object) -> None:
    names = package.__all__  # type: ignore[attr-defined]
    assert list(names) == sorted(names)
    assert all(hasattr(package, name) for name in names)
