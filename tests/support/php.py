"""PHP, with the client in `clients/php`: its test suites, and scripts that use it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.support.exports import Json
from tests.support.process import end
from tests.support.waiting import wait_for

ROOT: Final = Path(__file__).parents[2]
CLIENT: Final = ROOT / "clients" / "php"

NEEDED: Final = "php-cli php-curl php-sqlite3 phpunit"
"""Debian's packages."""

_INSTALL: Final = f"apt-get install --no-install-recommends {NEEDED}"

_EXTENSIONS: Final = "exit((int) !(extension_loaded('curl') && extension_loaded('pdo_sqlite')));"

_PROLOGUE: Final = """<?php
declare(strict_types=1);
require $_SERVER['CLIENT'];
use ExportMiddleware\\Client\\{ClientOptions, Column, DataType, ExcelOptions, ExportClient};
$client = new ExportClient($argv[1], new ClientOptions(recoveryTimeout: 1.0));
function told(object $value): void { echo json_encode($value, JSON_THROW_ON_ERROR), "\\n"; }
"""

_FAILED: Final = 120.0
"""Seconds after which a PHP process is taken to hang."""


def require_php() -> None:
    """Skip the test, saying what is missing; where CI is "true", fail."""
    if shutil.which("phpunit") and has_extensions():
        return
    reason = f"PHP with curl, sqlite3 and phpunit is missing: {_INSTALL}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def has_extensions() -> bool:
    """Whether PHP is there with all that the client and its tests use."""
    found = shutil.which("php")
    return (
        found is not None
        and subprocess.run([found, "-r", _EXTENSIONS], check=False).returncode == 0
    )


def run_suite(name: str, **environ: str) -> str:
    """Run a suite of `clients/php/phpunit.xml`; what it said. Fails with all of it."""
    ended = _run(["phpunit", "--testsuite", name], **environ)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def run_file(file: Path, *arguments: str, errors_to: Path | None = None) -> str:
    """Run a script; its standard output. Fails if it fails or says anything on standard error.

    `errors_to` is where PHP's `error_log` writes.
    """
    log = [] if errors_to is None else ["-d", f"error_log={errors_to}"]
    ended = _run(_php(*log, str(file), *arguments))
    assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout + ended.stderr
    return ended.stdout


def script(directory: Path, body: str) -> Path:
    """A script in which `$client` is a client of the server that its first argument names."""
    file = directory / "script.php"
    file.write_text(_PROLOGUE + body)
    return file


def run_script(directory: Path, body: str, *arguments: str) -> list[Json]:
    """What a script tells, by `told`."""
    said = run_file(script(directory, body), *arguments)
    return [json.loads(line) for line in said.splitlines()]


@contextmanager
def started_script(directory: Path, body: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A script that runs, with pipes; killed at the end if it has not ended by itself."""
    process = subprocess.Popen(
        _php(str(script(directory, body)), *arguments),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=_environ(),
    )
    try:
        yield process
    finally:
        end(process)


@contextmanager
def stand_in(directory: Path) -> Iterator[Path]:
    """The server that misbehaves on demand, as a process; the file with its addresses."""
    ready = directory / "ready.json"
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.standin", str(directory)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        wait_for(lambda: ready.exists() or process.poll() is not None)
        assert process.poll() is None, process.communicate()[1]
        yield ready
    finally:
        end(process)


def _php(*words: str) -> list[str]:
    return ["php", "-d", "error_reporting=-1", "-d", "display_errors=stderr", *words]


def _run(command: list[str], **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=CLIENT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_FAILED,
        env=_environ() | environ,
        check=False,
    )


def _environ() -> dict[str, str]:
    return {**os.environ, "CLIENT": str(CLIENT / "autoload.php")}
