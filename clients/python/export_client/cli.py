"""The command `export-client`.

Exit status: 0 done, 1 refused or failed (one line on standard error), 2 wrong usage, 130
interrupted. The server is `--server` or EXPORT_SERVER; a token is read from EXPORT_TOKEN, because
arguments are visible to every user of a machine.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa

from export_client.client import ExportClient
from export_client.display import ProgressLine, complain, show, show_formats, show_row
from export_client.download import check_target, target_of
from export_client.errors import ExportError
from export_client.inputs import open_input

_DESCRIPTION = "Export Arrow, Parquet and CSV data to Excel and CSV files."
_DEFAULT_SERVER = "grpc://127.0.0.1:8815"
_Run: TypeAlias = Callable[[ExportClient, argparse.Namespace], None]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status."""
    arguments = _parser().parse_args(argv)
    run: _Run = arguments.run
    try:
        with ExportClient(arguments.server, token=os.environ.get("EXPORT_TOKEN")) as client:
            run(client, arguments)
            sys.stdout.flush()
    except BrokenPipeError:
        # The reader has seen enough, as `head` does. What is still buffered goes nowhere, or the
        # interpreter would complain about it at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except ExportError as error:
        complain(error.code, error.message)
    except FileExistsError as error:
        complain("FILE_EXISTS", f"{error.filename} exists already; --overwrite replaces it")
    except (OSError, ValueError, pa.ArrowException) as error:
        complain("INPUT_ERROR", _sentence(error))
    except KeyboardInterrupt:
        complain("INTERRUPTED", "stopped by the user")
        return 130
    else:
        return 0
    return 1


def _sentence(error: Exception) -> str:
    """What Python says, without its `[Errno 2]`."""
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def _export(client: ExportClient, arguments: argparse.Namespace) -> None:
    if arguments.output is not None:
        target = target_of(arguments.to, Path(arguments.output))
        check_target(target, overwrite=arguments.overwrite)
    reader, rows = open_input(arguments.file)
    line = ProgressLine()
    try:
        task = client.export(
            reader,
            arguments.to,
            format=arguments.format,
            request_id=arguments.request_id,
            rows=rows if arguments.rows is None else arguments.rows,
            options=dict(arguments.option),
            progress=line,
        )
    finally:
        line.clear()
    if arguments.output is not None:
        client.download(task, arguments.output, overwrite=arguments.overwrite)
    show(task, as_json=arguments.json)


def _status(client: ExportClient, arguments: argparse.Namespace) -> None:
    task = client.status(arguments.task_id, arguments.request_id)
    show(task, as_json=arguments.json)


def _list(client: ExportClient, arguments: argparse.Namespace) -> None:
    for task in client.list(arguments.state, arguments.limit):
        show_row(task, as_json=arguments.json)


def _cancel(client: ExportClient, arguments: argparse.Namespace) -> None:
    show(client.cancel(arguments.task_id), as_json=arguments.json)


def _url(client: ExportClient, arguments: argparse.Namespace) -> None:
    link = client.url(arguments.task_id, arguments.expires_in)
    if arguments.json:
        show(link, as_json=True)
    else:
        sys.stdout.write(f"{link.url}\n")


def _download(client: ExportClient, arguments: argparse.Namespace) -> None:
    path = client.download(arguments.task_id, arguments.output, overwrite=arguments.overwrite)
    if arguments.json:
        show({"path": str(path)}, as_json=True)
    else:
        sys.stdout.write(f"{path}\n")


def _formats(client: ExportClient, arguments: argparse.Namespace) -> None:
    show_formats(client.formats(), as_json=arguments.json)


def _health(client: ExportClient, arguments: argparse.Namespace) -> None:
    show(client.health(), as_json=arguments.json)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="export-client", description=_DESCRIPTION)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    common = argparse.ArgumentParser(add_help=False)
    server = os.environ.get("EXPORT_SERVER", _DEFAULT_SERVER)
    common.add_argument("--server", default=server, metavar="URL", help=f"default: {server}")
    common.add_argument("--json", action="store_true", help="print JSON, one object a line")

    def command(name: str, run: _Run, text: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, parents=[common], help=text, description=text)
        added.set_defaults(run=run)
        return added

    _add_export(command("export", _export, "export a Parquet, CSV or Arrow file"))
    status = command("status", _status, "show one export")
    either = status.add_mutually_exclusive_group(required=True)
    either.add_argument("task_id", nargs="?", metavar="TASK_ID")
    either.add_argument("--request-id", metavar="ID", help="the newest export of this request")
    listing = command("list", _list, "list exports, newest first")
    listing.add_argument("--state", type=str.upper, help="such as processing, completed, failed")
    listing.add_argument("--limit", type=int, default=20, metavar="N", help="default: 20")
    cancel = command("cancel", _cancel, "end a running export")
    cancel.add_argument("task_id", metavar="TASK_ID")
    link = command("url", _url, "print a fresh link to the file")
    link.add_argument("task_id", metavar="TASK_ID")
    expiry = "life of the link; default: as the server is configured"
    link.add_argument("--expires-in", type=int, metavar="SECONDS", help=expiry)
    download = command("download", _download, "store the file here, verified")
    download.add_argument("task_id", metavar="TASK_ID")
    _add_output(download, "where to store it: a file or a directory; default: its own name here")
    command("formats", _formats, "show the formats and their options")
    command("health", _health, "show the health of the server")
    return parser


def _add_export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file", metavar="FILE", help=".parquet, .csv, .arrow, or - for an Arrow stream"
    )
    parser.add_argument("--to", required=True, metavar="NAME", help="name of the download")
    parser.add_argument("--format", help="default: from the extension of NAME")
    parser.add_argument(
        "--option",
        action="append",
        default=[],
        type=_option,
        metavar="KEY=VALUE",
        help="an option of the format (see `formats`); the value is JSON, or else text",
    )
    rows = "rows to expect, another number is an error; known for Parquet"
    parser.add_argument("--rows", type=int, metavar="N", help=rows)
    again = "makes a retry safe: an export of this id is made once"
    parser.add_argument("--request-id", metavar="ID", help=again)
    _add_output(parser, "store the file here too: a file or a directory")


def _add_output(parser: argparse.ArgumentParser, text: str) -> None:
    parser.add_argument("--output", metavar="PATH", help=text)
    parser.add_argument("--overwrite", action="store_true", help="replace an existing file")


def _option(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=VALUE")
    try:
        return key, json.loads(value)
    except json.JSONDecodeError:
        return key, value
