"""The PHP client: its own suites, and what it sends to a server process read back from files."""

import re
import signal
from collections.abc import Iterator
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from openpyxl import load_workbook

from tests.support.php import (
    CLIENT,
    require_php,
    run_file,
    run_script,
    run_suite,
    stand_in,
    started_script,
)
from tests.support.process import Served, served
from tests.support.site import Site
from tests.support.waiting import wait_for

README = (CLIENT / "README.md").read_text()

THROWS = """
function rows() {
    for ($i = 0; $i < 200_000; $i++) { yield [$i, "name $i"]; }
    throw new DomainException('the database went away');
}
try {
    $onStarted = static function (string $taskId): void { told((object) ['task' => $taskId]); };
    $client->export(rows(), 'a.csv', ['id', 'name'], onStarted: $onStarted);
} catch (DomainException $thrown) {
    told((object) ['thrown' => $thrown->getMessage()]);
}
"""

HANGS = """
function rows() {
    for ($i = 0; $i < 200_000; $i++) { yield [$i, "name $i"]; }
    fgets(STDIN);
}
$onStarted = static function (string $taskId): void { echo $taskId, "\\n"; };
$client->export(rows(), 'a.csv', ['id', 'name'], onStarted: $onStarted);
"""

WORKBOOK = """
$columns = [
    'code', 'n' => DataType::Number, 'd' => DataType::Date, 'b' => DataType::Boolean,
    new Column('total', DataType::Number, width: 20, format: '#,##0.00'),
];
$rows = [
    ['007', '12.5', '2024-02-29', 'true', '1234.5'],
    ['', 'n/a', '', 'false', ''],
    ['订单', 42, new DateTimeImmutable('2024-03-01 UTC'), false, 0.1],
];
told($client->export($rows, '订单.xlsx', $columns, options: new ExcelOptions('数据', startRow: 4)));
told($client->export($rows, 'plain.xlsx', $columns));
told($client->export($rows, 'small.xlsx', $columns, options: new ExcelOptions(smallest: true)));
"""


@pytest.fixture(autouse=True, scope="module")
def _php() -> None:
    require_php()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(Site(tmp_path_factory.mktemp("site"))) as started:
        yield started


def test_it_encodes_and_refuses_as_its_unit_tests_say() -> None:
    assert "OK (" in run_suite("unit")


def test_it_gets_along_with_a_server_that_misbehaves(tmp_path: Path) -> None:
    with stand_in(tmp_path) as ready:
        assert "OK (" in run_suite("faults", EXPORT_STANDIN=str(ready))


def test_it_gets_along_with_the_server(server: Served) -> None:
    assert "OK (" in run_suite("contract", EXPORT_SERVER=server.grpc)


def test_its_examples_run(server: Served) -> None:
    assert "OK (" in run_suite("examples", EXPORT_SERVER=server.grpc)


def test_everything_in_its_readme_runs(server: Served, tmp_path: Path) -> None:
    blocks = re.findall(r"^```php\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    code = "\n".join(blocks).replace("http://127.0.0.1:9090", server.grpc)
    autoload = str(CLIENT / "autoload.php")
    file = tmp_path / "readme.php"
    file.write_text(code.replace("'vendor/autoload.php'", f"'{autoload}'"))
    assert run_file(file, errors_to=tmp_path / "log").startswith("http://")
    assert "row 2: it has 1 values, and there are 2 columns" in (tmp_path / "log").read_text()


def test_its_readme_has_every_exception() -> None:
    table = README.partition("## Errors")[2].partition("## ")[0]
    named = re.findall(r"^\| `(\w+Exception)` \|", table, re.MULTILINE)
    classes = [path.stem for path in (CLIENT / "src" / "Exception").glob("*Exception.php")]
    assert sorted(named) == sorted({*classes} - {"ExportException"})


def cells(url: str) -> tuple[str, list[list[Any]]]:
    """Name and values of the first sheet."""
    workbook = load_workbook(BytesIO(httpx.get(url).content))
    sheet = workbook.worksheets[0]
    return sheet.title, [list(row) for row in sheet.iter_rows(values_only=True)]


def test_its_workbooks_have_numbers_dates_and_booleans(server: Served, tmp_path: Path) -> None:
    placed, plain, small = run_script(tmp_path, WORKBOOK, server.grpc)
    rows = [
        ["code", "n", "d", "b", "total"],
        ["007", 12.5, datetime(2024, 2, 29), True, 1234.5],
        [None, "n/a", None, False, None],
        ["订单", 42, datetime(2024, 3, 1), False, 0.1],
    ]
    assert cells(plain["url"]) == ("Sheet1", rows)
    assert cells(small["url"]) == ("Sheet1", rows)
    assert cells(placed["url"]) == ("数据", [[None] * 5] * 3 + rows)
    assert [each["rows"] for each in (placed, plain, small)] == [3, 3, 3]
    assert small["sizeBytes"] <= plain["sizeBytes"]
    task = server.actions.one("status", task_id=plain["taskId"])
    assert [warning["count"] for warning in task["warnings"]] == [1]  # the "n/a"


def test_its_column_has_the_width_and_the_format_that_were_asked_for(
    server: Served, tmp_path: Path
) -> None:
    url = run_script(tmp_path, WORKBOOK, server.grpc)[1]["url"]
    sheet = load_workbook(BytesIO(httpx.get(url).content)).worksheets[0]
    assert sheet["E2"].number_format == "#,##0.00"
    assert sheet.column_dimensions["E"].width == pytest.approx(20, abs=1)


def test_a_source_that_throws_half_way_leaves_no_file(server: Served, tmp_path: Path) -> None:
    started, thrown = run_script(tmp_path, THROWS, server.grpc)
    assert thrown == {"thrown": "the database went away"}
    assert_no_file(server, started["task"])


def test_a_process_that_is_killed_leaves_no_file(server: Served, tmp_path: Path) -> None:
    with started_script(tmp_path, HANGS, server.grpc) as process:
        assert process.stdout is not None
        task_id = process.stdout.readline().strip()
        wait_for(lambda: server.actions.one("status", task_id=task_id)["rows"] > 100_000)
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert_no_file(server, task_id)


def test_a_server_that_is_killed_is_told_with_the_task(tmp_path: Path) -> None:
    site = Site(tmp_path / "site")
    site.root.mkdir()
    with served(site) as own, started_script(tmp_path, HANGS, own.grpc) as process:
        assert process.stdout is not None
        task_id = process.stdout.readline().strip()
        wait_for(lambda: own.actions.one("status", task_id=task_id)["rows"] > 100_000)
        own.process.kill()
        own.process.wait()
        _stdout, stderr = process.communicate("go on\n", timeout=60)
    assert "ConnectionFailedException" in stderr


def assert_no_file(server: Served, task_id: str) -> None:
    wait_for(lambda: server.actions.state(task_id) in {"FAILED", "CANCELLED"})
    assert server.actions.one("status", task_id=task_id)["url"] is None
    wait_for(lambda: not [name for name in server.site.spools() if task_id in name])
    assert not [name for name in server.site.files() if task_id in name]
