"""A finished file to disk: whole and verified, or not at all."""

import errno
import hashlib
import os
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PureWindowsPath
from typing import BinaryIO

import pyarrow as pa

from export_client.connection import Connection
from export_client.errors import DownloadFailed, wire_errors
from export_client.models import Task


def download(connection: Connection, task: Task, path: Path | None, *, overwrite: bool) -> Path:
    """Store the file of `task` at `path` and return where it is."""
    # The name comes from a server: only its last part counts, whatever its separators are.
    name = PureWindowsPath(task.filename or "").name or task.task_id
    target = target_of(name, path)
    with _replacing(target, overwrite=overwrite) as file:
        size, sha256 = _store(_chunks(connection, task.task_id), file)
        _verify(task, size, sha256)
    return target


def target_of(name: str, path: Path | None) -> Path:
    """Where to store: the export's own name in the working directory or in a directory."""
    if path is None:
        return Path(name)
    return path / name if path.is_dir() else path


def check_target(target: Path, *, overwrite: bool) -> None:
    """Refuse what could not be stored, before anything is asked of the server.

    Raises:
        FileExistsError: there is such a file, and `overwrite` is False.
        FileNotFoundError: there is no such directory.

    """
    if not overwrite and target.exists():
        text = "exists already; overwrite=True replaces it"
        raise FileExistsError(errno.EEXIST, text, str(target))
    if not target.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(target.parent))


@contextmanager
def _replacing(target: Path, *, overwrite: bool) -> Iterator[BinaryIO]:
    """A file that becomes `target` when the context ends well, and else vanishes."""
    check_target(target, overwrite=overwrite)
    part = target.with_name(f".{target.name[:100]}.{uuid.uuid4().hex}.part")
    try:
        with part.open("xb") as file:
            yield file
        if not overwrite:
            target.touch(exist_ok=False)  # claims the name: nobody's file is replaced
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _chunks(connection: Connection, task_id: str) -> Iterator[pa.Buffer]:
    """The file's bytes, as they come: rows of one `data: binary` column."""
    reader = connection.get(task_id)
    ended = False
    try:
        while not ended:
            with wire_errors(connection.url, task_id=task_id):
                chunk = next(reader, None)
            ended = chunk is None
            if chunk is not None and chunk.data is not None:
                yield from (value.as_buffer() for value in chunk.data.column("data"))
    finally:
        if not ended:
            reader.cancel()


def _store(chunks: Iterable[pa.Buffer], file: BinaryIO) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    for chunk in chunks:
        digest.update(chunk)
        size += file.write(chunk)
    return size, digest.hexdigest()


def _verify(task: Task, size: int, sha256: str) -> None:
    if task.size_bytes is not None and size != task.size_bytes:
        message = f"{size} bytes came, but the file has {task.size_bytes}"
        raise DownloadFailed("SIZE_MISMATCH", message, True, task.task_id)
    if task.sha256 is not None and sha256 != task.sha256.lower():
        message = f"the bytes have the SHA-256 {sha256}, but the file has {task.sha256}"
        raise DownloadFailed("CHECKSUM_MISMATCH", message, True, task.task_id)
