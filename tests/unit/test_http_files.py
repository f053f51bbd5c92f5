"""Downloads over real HTTP on the loopback interface."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlsplit

import httpx
import pytest

from flight_server.errors import ErrorCode, ServiceError
from flight_server.filenames import content_disposition
from flight_server.links import LinkSigner
from flight_server.transports.http import TaskObject, create_http_app
from flight_server.transports.http_files import ServedFile
from flight_server.transports.http_ranges import UnsatisfiableRange, satisfiable_ranges
from flight_server.transports.http_server import HttpDoor, bind

NOW = datetime(2024, 5, 1, 12, 0, 0, tzinfo=UTC)
CONTENT = bytes(range(256)) * 4096
SHA256 = hashlib.sha256(CONTENT).hexdigest()
ETAG = f'"{SHA256}"'
SIGNER = LinkSigner(b"k" * 32)
HOSTILE = 'évil"\\ 100%; name="x".csv'


class Files:
    """The files of finished tasks, and what was looked up."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.files: dict[tuple[str, str], ServedFile] = {}
        self.asked: list[tuple[str, str]] = []
        self.failure: Exception | None = None

    def find_file(self, task_id: str, filename: str) -> ServedFile | None:
        self.asked.append((task_id, filename))
        if self.failure is not None:
            raise self.failure
        return self.files.get((task_id, filename))


class NoTasks:
    def list(self, state: str | None, limit: int, after: str | None) -> Sequence[TaskObject]:
        return []

    def get(self, task_id: str) -> TaskObject:
        raise ServiceError(ErrorCode.TASK_NOT_FOUND, "no such task")

    def cancel(self, task_id: str) -> TaskObject:
        raise ServiceError(ErrorCode.TASK_NOT_FOUND, "no such task")


_FILES = Files()


@pytest.fixture(scope="module")
def server() -> Iterator[httpx.Client]:
    app = create_http_app(signer=SIGNER, files=_FILES, tasks=NoTasks(), now=lambda: NOW)
    door = HttpDoor(app, bind("127.0.0.1", 0, "server.status_port"), "http")
    door.start()
    try:
        address = f"http://127.0.0.1:{door.port}"
        with httpx.Client(base_url=address, trust_env=False, timeout=10) as client:
            yield client
    finally:
        assert door.stop(5)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """What the server of the module serves: one report."""
    _FILES.reset()
    add(_FILES, tmp_path, "report.csv", CONTENT)
    return _FILES


@pytest.fixture
def client(server: httpx.Client, files: Files) -> httpx.Client:
    return server


def add(files: Files, directory: Path, filename: str, content: bytes) -> ServedFile:
    path = directory / hashlib.sha256(filename.encode()).hexdigest()
    path.write_bytes(content)
    served = ServedFile(
        path,
        filename,
        "text/csv; charset=gbk",
        len(content),
        hashlib.sha256(content).hexdigest(),
    )
    files.files["t1", filename] = served
    return served


def link(filename: str = "report.csv", expires_at: datetime = NOW) -> str:
    """The path and query of a link, signed as the storage signs it."""
    return SIGNER.url("", "t1", filename, expires_at)


def code(response: httpx.Response) -> str:
    error = response.json()["error"]
    assert error.keys() == {"code", "message", "retryable"}
    return str(error["code"])


def test_a_link_downloads_the_whole_file(client: httpx.Client) -> None:
    response = client.get(link())
    assert response.status_code == 200
    assert response.content == CONTENT
    assert response.headers["content-length"] == str(len(CONTENT))


def test_a_download_carries_what_browsers_need_to_know(client: httpx.Client) -> None:
    headers = client.get(link()).headers
    assert headers["content-type"] == "text/csv; charset=gbk"
    assert headers["cache-control"] == "private"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["accept-ranges"] == "bytes"
    assert headers["etag"] == ETAG
    assert "server" not in headers


def test_an_encoding_is_not_invented_for_text(client: httpx.Client, files: Files) -> None:
    """Starlette adds `charset=utf-8` to text types; the file may hold anything else."""
    key = ("t1", "report.csv")
    files.files[key] = replace(files.files[key], content_type="text/csv")
    assert client.get(link()).headers["content-type"] == "text/csv"


def test_head_answers_as_get_without_a_body(client: httpx.Client) -> None:
    get, head = client.get(link()), client.head(link())
    assert head.status_code == 200
    assert head.content == b""
    without_date = [
        {name: value for name, value in response.headers.items() if name != "date"}
        for response in (get, head)
    ]
    assert without_date[0] == without_date[1]


def test_an_empty_file_is_downloaded(client: httpx.Client, files: Files, tmp_path: Path) -> None:
    add(files, tmp_path, "empty.csv", b"")
    response = client.get(link("empty.csv"))
    assert (response.status_code, response.content) == (200, b"")


@pytest.mark.parametrize(
    ("header", "first", "last"),
    [
        ("bytes=0-0", 0, 0),
        ("bytes=100-199", 100, 199),
        ("bytes=1048570-", 1048570, 1048575),
        ("bytes=1048570-99999999", 1048570, 1048575),
        ("bytes=-10", 1048566, 1048575),
        ("bytes=-99999999", 0, 1048575),
        ("Bytes = 5-9", 5, 9),
        ("bytes=5-9,99999999-", 5, 9),
    ],
)
def test_a_range_gives_those_bytes(
    client: httpx.Client, header: str, first: int, last: int
) -> None:
    response = client.get(link(), headers={"Range": header})
    assert response.status_code == 206
    assert response.headers["content-range"] == f"bytes {first}-{last}/{len(CONTENT)}"
    assert response.content == CONTENT[first : last + 1]
    assert response.headers["etag"] == ETAG


def test_a_broken_download_goes_on_where_it_stopped(client: httpx.Client) -> None:
    first = client.get(link(), headers={"Range": "bytes=0-299999"})
    rest = client.get(link(), headers={"Range": "bytes=300000-", "If-Range": first.headers["etag"]})
    assert first.content + rest.content == CONTENT


def test_several_ranges_come_as_parts(client: httpx.Client) -> None:
    response = client.get(link(), headers={"Range": "bytes=0-3,100-103,-2"})
    assert response.status_code == 206
    kind, _, boundary = response.headers["content-type"].partition("; boundary=")
    assert kind == "multipart/byteranges"
    parts = response.content.split(f"--{boundary}".encode())[1:-1]
    bodies = [part.split(b"\r\n\r\n", 1)[1].removesuffix(b"\r\n") for part in parts]
    assert bodies == [CONTENT[0:4], CONTENT[100:104], CONTENT[-2:]]
    assert f"Content-Range: bytes 100-103/{len(CONTENT)}".encode() in parts[1]


def test_a_range_behind_the_end_is_416_with_the_size(client: httpx.Client) -> None:
    response = client.get(link(), headers={"Range": f"bytes={len(CONTENT)}-"})
    assert response.status_code == 416
    assert response.headers["content-range"] == f"bytes */{len(CONTENT)}"
    assert code(response) == "RANGE_NOT_SATISFIABLE"


@pytest.mark.parametrize(
    "header", ["bytes=9-5", "bytes=a-b", "bytes", "rows=0-5", "bytes=0-1," * 40 + "0-1"]
)
def test_a_range_that_makes_no_sense_gives_the_whole_file(
    client: httpx.Client, header: str
) -> None:
    response = client.get(link(), headers={"Range": header})
    assert (response.status_code, response.content) == (200, CONTENT)


@pytest.mark.parametrize("header", ['"another"', f"W/{ETAG}", "Wed, 01 May 2024 12:00:00 GMT"])
def test_a_range_of_another_version_gives_the_whole_file(client: httpx.Client, header: str) -> None:
    for wanted in ("bytes=10-", "bytes=99999999-"):
        response = client.get(link(), headers={"Range": wanted, "If-Range": header})
        assert (response.status_code, response.content) == (200, CONTENT)


@pytest.mark.parametrize("known", [ETAG, f"W/{ETAG}", f'"x", {ETAG}', "*"])
def test_a_file_that_the_client_has_is_not_sent_again(client: httpx.Client, known: str) -> None:
    response = client.get(link(), headers={"If-None-Match": known})
    assert (response.status_code, response.content) == (304, b"")
    assert response.headers["etag"] == ETAG


def test_a_file_that_the_client_does_not_have_is_sent(client: httpx.Client) -> None:
    assert client.get(link(), headers={"If-None-Match": '"x"'}).status_code == 200


@pytest.mark.parametrize(
    "filename", ["报表 2024.xlsx", HOSTILE, "a%2Fb.csv", "a?b#c&d=e+f.csv", "line\u2028break.csv"]
)
def test_any_filename_reaches_its_file(
    client: httpx.Client, files: Files, tmp_path: Path, filename: str
) -> None:
    add(files, tmp_path, filename, filename.encode())
    response = client.get(link(filename))
    assert response.content == filename.encode()
    assert disposition_name(response.headers["content-disposition"]) == filename


def disposition_name(header: str) -> str:
    """What a browser saves under: the extended parameter."""
    charset, _, name = header.partition("filename*=")[2].partition("''")
    assert charset == "UTF-8"
    return unquote(name, errors="strict")


def test_the_disposition_has_an_ascii_fallback() -> None:
    assert content_disposition("报表.csv") == (
        "attachment; filename=\"__.csv\"; filename*=UTF-8''%E6%8A%A5%E8%A1%A8.csv"
    )


@pytest.mark.parametrize(
    "name", [HOSTILE, 'a"; filename="b.exe', "a\r\nSet-Cookie: x=1\r\n\r\n<script>", "\u2028\\"]
)
def test_no_filename_can_leave_its_quotes_or_its_line(name: str) -> None:
    header = content_disposition(name)
    assert header.isascii()
    assert header.isprintable()
    assert header.count('"') == 2
    assert disposition_name(header) == name


def tampered() -> Iterator[tuple[str, str]]:
    genuine = urlsplit(link())
    query = {name: values[0] for name, values in parse_qs(genuine.query).items()}
    path = genuine.path

    def url(path: str, **changes: str) -> str:
        pairs = {**query, **changes}
        return path + "?" + "&".join(f"{name}={quote(text)}" for name, text in pairs.items())

    yield "task", url(path.replace("t1", "t2"))
    yield "filename", url(path.replace("report", "salary"))
    yield "expiry", url(path, expires=str(int(query["expires"]) + 3600))
    yield "signature", url(path, signature=query["signature"][:-1] + "x")
    yield "no signature", url(path, signature="")
    yield "no query", path
    yield "not ascii", url(path, signature="é" * 64)


@pytest.mark.parametrize("url", [pytest.param(url, id=part) for part, url in tampered()])
def test_a_tampered_link_is_refused_before_anything_is_looked_up(
    client: httpx.Client, files: Files, url: str
) -> None:
    response = client.get(url)
    assert response.status_code == 403
    assert code(response) == "LINK_INVALID"
    assert files.asked == []


def test_an_expired_link_is_gone_and_looks_nothing_up(client: httpx.Client, files: Files) -> None:
    response = client.get(link(expires_at=NOW - timedelta(seconds=1)))
    assert response.status_code == 410
    assert code(response) == "LINK_EXPIRED"
    assert files.asked == []


def test_a_genuine_link_to_an_unknown_file_is_gone(client: httpx.Client) -> None:
    response = client.get(link("other.csv"))
    assert response.status_code == 410
    assert code(response) == "FILE_GONE"


def test_a_file_removed_from_disk_is_gone(client: httpx.Client, files: Files) -> None:
    files.files["t1", "report.csv"].path.unlink()
    response = client.get(link())
    assert response.status_code == 410
    assert code(response) == "FILE_GONE"


def test_a_file_changed_on_disk_is_not_served(client: httpx.Client, files: Files) -> None:
    files.files["t1", "report.csv"].path.write_bytes(b"shorter")
    response = client.get(link())
    assert response.status_code == 503
    assert code(response) == ErrorCode.STORAGE_ERROR


def test_a_failing_lookup_shows_nothing_of_its_inside(client: httpx.Client, files: Files) -> None:
    files.failure = PermissionError(13, "Permission denied", "/srv/secret/path")
    response = client.get(link())
    assert response.status_code == 503
    assert code(response) == ErrorCode.STORAGE_ERROR
    assert "/srv" not in response.text
    assert "Traceback" not in response.text


BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        (link(expires_at=NOW - timedelta(days=1)), "This link has expired."),
        (link("other.csv"), "This file is no longer available."),
        (link() + "0", "This link is not valid."),
    ],
)
def test_a_person_with_a_dead_link_reads_a_sentence(
    client: httpx.Client, url: str, sentence: str
) -> None:
    response = client.get(url, headers={"Accept": BROWSER})
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert sentence in response.text
    assert response.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in response.headers["content-security-policy"]


def test_a_path_with_an_encoded_separator_is_no_file(client: httpx.Client, files: Files) -> None:
    response = client.get("/files/t1/..%2F..%2Fetc%2Fpasswd?expires=1&signature=x")
    assert response.status_code == 404
    assert files.asked == []


def test_other_methods_are_refused(client: httpx.Client) -> None:
    response = client.put(link(), content=b"x")
    assert response.status_code == 405
    assert response.headers["allow"] in {"GET, HEAD", "HEAD, GET"}
    assert code(response) == "METHOD_NOT_ALLOWED"


def test_ranges_are_cut_at_the_end_of_the_file() -> None:
    assert satisfiable_ranges("bytes=0-4, 8-, -1", 10) == [(0, 4), (8, 9), (9, 9)]


@pytest.mark.parametrize("header", ["bytes=0-", "bytes=-5", "bytes=-0"])
def test_an_empty_file_satisfies_no_range(header: str) -> None:
    with pytest.raises(UnsatisfiableRange):
        satisfiable_ranges(header, 0)


@pytest.mark.parametrize("header", ["bytes=٣-٥", "bytes=+1-2", "bytes=1_0-20", "bytes=0-1,,"])
def test_only_ascii_digits_make_a_range(header: str) -> None:
    assert satisfiable_ranges(header, 100) == []
