"""The OSS test server, as the real `oss2` client meets it: operations, errors, life."""

import base64
import hashlib
import io
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import oss2
import pytest
from oss2.models import PartInfo, Tagging, TaggingRule

from tests.support.oss import Asked, Credentials, OssServer
from tests.support.oss.clients import connect
from tests.support.oss.crc64 import combine, crc64
from tests.support.oss.state import MIN_PART_SIZE

KEY = "exports/任务 1+2/a&b=c~.csv"
PART = bytes(range(256)) * 400  # the least size of a part
REGION = "cn-hangzhou"


@pytest.fixture
def server() -> Iterator[OssServer]:
    with OssServer(bucket="exports", region=REGION) as started:
        yield started


@pytest.fixture(params=["v1", "v4"])
def bucket(server: OssServer, request: pytest.FixtureRequest) -> oss2.Bucket:
    """Everything works with both signatures."""
    return connect(server, request.param)


def refused(call: Callable[[], object]) -> oss2.exceptions.OssError:
    with pytest.raises(oss2.exceptions.OssError) as caught:
        call()
    return caught.value


def upload_parts(bucket: oss2.Bucket, *parts: bytes, key: str = KEY) -> tuple[str, list[PartInfo]]:
    upload_id = bucket.init_multipart_upload(key).upload_id
    made = []
    for number, data in enumerate(parts, 1):
        done = bucket.upload_part(key, upload_id, number, data)
        made.append(PartInfo(number, done.etag, size=len(data), part_crc=done.crc))
    return upload_id, made


# Objects ----------------------------------------------------------------------------------------


def test_an_object_comes_back_as_it_went(server: OssServer, bucket: oss2.Bucket) -> None:
    data = PART * 30
    put = bucket.put_object(KEY, data, headers={"Content-Type": "text/csv; charset=utf-8"})
    got = bucket.get_object(KEY)
    assert got.read() == data == server.objects[KEY].data
    assert got.content_type == "text/csv; charset=utf-8"
    assert (put.etag, put.crc) == (hashlib.md5(data).hexdigest().upper(), crc64(data))
    assert put.request_id
    assert put.resp.headers["x-oss-server-time"].isdigit()
    assert abs(got.last_modified - time.time()) < 60


@pytest.mark.parametrize("data", [b"", io.BytesIO(b""), io.BytesIO(PART), iter([PART, b"x"])])
def test_bodies_of_every_shape_arrive(server: OssServer, data: object) -> None:
    """Bytes, files, and iterators, which go chunked."""
    want = b"" if data == b"" else None
    if isinstance(data, io.BytesIO):
        want = data.getvalue()
    connect(server).put_object("k", data)
    assert server.objects["k"].data == (PART + b"x" if want is None else want)


def test_what_is_asked_of_an_object_is_kept(server: OssServer, bucket: oss2.Bucket) -> None:
    headers = {
        "Content-Type": "text/csv",
        "Content-Disposition": "attachment; filename=\"a.csv\"; filename*=UTF-8''%E4%BB%BB.csv",
        "Cache-Control": "no-store",
        "x-oss-storage-class": "IA",
        "x-oss-server-side-encryption": "AES256",
        "x-oss-object-acl": "private",
        "x-oss-meta-task": "17",
        "x-oss-tagging": "team=data%20lake&kind=export",
    }
    bucket.put_object(KEY, b"abc", headers=headers)
    kept = server.objects[KEY]
    assert (kept.storage_class, kept.meta) == ("IA", {"task": "17"})
    assert kept.tags == {"team": "data lake", "kind": "export"}
    assert kept.headers["x-oss-object-acl"] == "private"
    head = bucket.head_object(KEY).headers
    for name in ("Content-Type", "Content-Disposition", "Cache-Control", "x-oss-meta-task"):
        assert head[name] == headers[name]
    assert head["x-oss-storage-class"] == "IA"
    assert head["x-oss-server-side-encryption"] == "AES256"
    assert head["x-oss-tagging-count"] == "2"
    assert head["x-oss-object-type"] == "Normal"


def test_heads_tell_of_objects_without_their_bytes(bucket: oss2.Bucket) -> None:
    bucket.put_object(KEY, PART)
    assert bucket.head_object(KEY).content_length == len(PART)
    assert bucket.get_object_meta(KEY).content_length == len(PART)
    assert bucket.object_exists(KEY)
    assert not bucket.object_exists("another")
    assert refused(lambda: bucket.head_object("another")).code == "NoSuchKey"


@pytest.mark.parametrize(
    ("asked", "want", "status"),
    [
        ((10, 19), PART[10:20], 206),
        ((10, None), PART[10:], 206),
        ((None, 10), PART[-10:], 206),
        ((10, len(PART)), PART, 200),  # too far is all of it
        ((len(PART), None), PART, 200),
    ],
)
def test_ranges(
    server: OssServer, asked: tuple[int | None, int | None], want: bytes, status: int
) -> None:
    bucket = connect(server)
    bucket.put_object(KEY, PART)
    got = bucket.get_object(KEY, byte_range=asked)
    assert (got.read(), got.status) == (want, status)


def test_ranges_are_those_of_http_where_that_is_asked_for(server: OssServer) -> None:
    bucket = connect(server)
    bucket.put_object(KEY, PART)
    standard = {"x-oss-range-behavior": "standard"}
    got = bucket.get_object(KEY, byte_range=(10, len(PART) + 5), headers=standard)
    assert (got.read(), got.status) == (PART[10:], 206)
    error = refused(lambda: bucket.get_object(KEY, byte_range=(len(PART), None), headers=standard))
    assert (error.status, error.code) == (416, "InvalidRange")


def test_an_object_that_did_not_change_is_not_sent(server: OssServer) -> None:
    bucket = connect(server)
    etag = bucket.put_object(KEY, PART).etag
    error = refused(lambda: bucket.get_object(KEY, headers={"If-None-Match": f'"{etag}"'}))
    assert error.status == 304


def test_deleting_is_the_same_whether_there_is_one(server: OssServer, bucket: oss2.Bucket) -> None:
    bucket.put_object(KEY, b"x")
    assert [bucket.delete_object(KEY).status for _ in range(2)] == [204, 204]
    assert server.objects == {}
    for name in ("a", "b", "c"):
        bucket.put_object(name, b"x")
    assert bucket.batch_delete_objects(["a", "c", "zzz"]).deleted_keys == ["a", "c", "zzz"]
    assert list(server.objects) == ["b"]


def test_tags_are_set_and_read(bucket: oss2.Bucket) -> None:
    bucket.put_object(KEY, b"x", headers={"x-oss-tagging": "a=1"})
    assert bucket.get_object_tagging(KEY).tag_set.tagging_rule == {"a": "1"}
    rule = TaggingRule()
    rule.add("团队", "数据")
    bucket.put_object_tagging(KEY, Tagging(rule))
    assert bucket.get_object_tagging(KEY).tag_set.tagging_rule == {"团队": "数据"}


def test_content_md5_is_checked(server: OssServer, bucket: oss2.Bucket) -> None:
    right = base64.b64encode(hashlib.md5(PART).digest()).decode()
    bucket.put_object(KEY, PART, headers={"Content-MD5": right})
    error = refused(lambda: bucket.put_object("k", b"x", headers={"Content-MD5": right}))
    assert (error.status, error.code) == (400, "InvalidDigest")
    assert "k" not in server.objects


def test_an_object_is_not_overwritten_where_that_is_forbidden(server: OssServer) -> None:
    bucket, headers = connect(server), {"x-oss-forbid-overwrite": "true"}
    bucket.put_object(KEY, b"1", headers=headers)
    assert (
        refused(lambda: bucket.put_object(KEY, b"2", headers=headers)).code == "FileAlreadyExists"
    )
    upload_id, parts = upload_parts(bucket, PART)
    error = refused(
        lambda: bucket.complete_multipart_upload(KEY, upload_id, parts, headers=headers)
    )
    assert (error.status, error.code) == (409, "FileAlreadyExists")
    assert server.objects[KEY].data == b"1"


def test_too_large_a_body_is_refused(server: OssServer) -> None:
    server.bucket.max_put_size = 1000
    assert refused(lambda: connect(server).put_object(KEY, PART)).code == "EntityTooLarge"


# Uploads in parts -------------------------------------------------------------------------------


def test_parts_in_any_order_make_an_object(server: OssServer, bucket: oss2.Bucket) -> None:
    upload_id = bucket.init_multipart_upload(KEY, headers={"x-oss-meta-task": "1"}).upload_id
    data = {1: PART, 7: PART * 3, 10_000: b"the rest"}
    parts = []
    for number in (10_000, 1, 7):
        done = bucket.upload_part(KEY, upload_id, number, data[number])
        size = len(data[number])
        parts.append(PartInfo(number, done.etag, size=size, part_crc=done.crc))
    assert server.uploads[upload_id].key == KEY
    assert [part.part_number for part in bucket.list_parts(KEY, upload_id).parts] == [1, 7, 10_000]
    whole = PART * 4 + b"the rest"
    done = bucket.complete_multipart_upload(KEY, upload_id, parts)  # oss2 checks the crc, too
    kept = server.objects[KEY]
    assert (kept.data, kept.crc64, kept.kind, kept.meta) == (
        whole,
        crc64(whole),
        "Multipart",
        {"task": "1"},
    )
    assert done.etag == kept.etag
    assert done.etag.endswith("-3")
    assert server.uploads == {}
    assert bucket.get_object(KEY).read() == whole


def test_a_part_that_comes_again_takes_the_place_of_the_first(server: OssServer) -> None:
    bucket = connect(server)
    upload_id, parts = upload_parts(bucket, PART, b"old")
    again = bucket.upload_part(KEY, upload_id, 2, b"new")
    assert (
        refused(lambda: bucket.complete_multipart_upload(KEY, upload_id, parts)).code
        == "InvalidPart"
    )
    bucket.complete_multipart_upload(
        KEY, upload_id, [parts[0], PartInfo(2, again.etag, size=3, part_crc=again.crc)]
    )
    assert server.objects[KEY].data == PART + b"new"


def test_all_parts_are_completed_without_a_list(server: OssServer) -> None:
    bucket = connect(server)
    upload_id, _ = upload_parts(bucket, PART, b"x")
    bucket.complete_multipart_upload(KEY, upload_id, None, headers={"x-oss-complete-all": "yes"})
    assert server.objects[KEY].data == PART + b"x"


def test_a_part_that_is_too_small_fails_at_the_end(server: OssServer, bucket: oss2.Bucket) -> None:
    upload_id, parts = upload_parts(bucket, b"x" * (MIN_PART_SIZE - 1), b"y")
    error = refused(lambda: bucket.complete_multipart_upload(KEY, upload_id, parts))
    assert (error.status, error.code) == (400, "EntityTooSmall")
    assert error.details["PartNumber"] == "1"
    assert KEY not in server.objects


@pytest.mark.parametrize("number", [0, 10_001])
def test_part_numbers_have_bounds(server: OssServer, number: int) -> None:
    bucket = connect(server)
    upload_id = bucket.init_multipart_upload(KEY).upload_id
    assert (
        refused(lambda: bucket.upload_part(KEY, upload_id, number, b"x")).code == "InvalidArgument"
    )


def test_an_order_or_a_part_that_is_wrong_is_refused(server: OssServer) -> None:
    """oss2 sorts parts, so the document is written by hand."""
    bucket = connect(server)
    upload_id, parts = upload_parts(bucket, PART, PART)
    error = refused(
        lambda: bucket.complete_multipart_upload(
            KEY, upload_id, [*parts, PartInfo(3, "0" * 32, size=1, part_crc=0)]
        )
    )
    assert (error.code, error.details["PartNumber"]) == ("InvalidPart", "3")
    both = "".join(f"<Part><PartNumber>{n}</PartNumber></Part>" for n in (2, 1))
    for body, code in [
        (f"<CompleteMultipartUpload>{both}</CompleteMultipartUpload>", "InvalidPartOrder"),
        ("<CompleteMultipartUpload>", "MalformedXML"),
        ("<CompleteMultipartUpload/>", "MalformedXML"),
        ("<C><Part><PartNumber>x</PartNumber></Part></C>", "MalformedXML"),
    ]:
        url = bucket.sign_url("POST", KEY, 60, params={"uploadId": upload_id})
        assert f"<Code>{code}</Code>" in httpx.post(url, content=body).text


def test_an_upload_that_ended_is_unknown(server: OssServer, bucket: oss2.Bucket) -> None:
    upload_id, parts = upload_parts(bucket, PART)
    bucket.abort_multipart_upload(KEY, upload_id)
    for call in (
        lambda: bucket.abort_multipart_upload(KEY, upload_id),
        lambda: bucket.upload_part(KEY, upload_id, 1, b"x"),
        lambda: bucket.list_parts(KEY, upload_id),
        lambda: bucket.complete_multipart_upload(KEY, upload_id, parts),
    ):
        error = refused(call)
        assert (error.status, error.code) == (404, "NoSuchUpload")
        assert isinstance(error, oss2.exceptions.NoSuchUpload)
    upload_id, parts = upload_parts(bucket, PART)
    bucket.complete_multipart_upload(KEY, upload_id, parts)
    again = refused(lambda: bucket.complete_multipart_upload(KEY, upload_id, parts))
    assert again.code == "NoSuchUpload"


def test_oss2s_own_resumable_upload_works(server: OssServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(PART * 10)
    oss2.resumable_upload(
        connect(server),
        KEY,
        str(tmp_path / "file"),
        store=oss2.ResumableStore(root=str(tmp_path)),
        multipart_threshold=1,
        part_size=2 * len(PART),
        num_threads=3,
    )
    assert server.objects[KEY].data == PART * 10


# Listings ---------------------------------------------------------------------------------------

NAMES = ["a/1", "a/2", "a/b/3", "a/任务 4&", "b/5", "c"]


def test_objects_are_listed_in_pages(server: OssServer, bucket: oss2.Bucket) -> None:
    for name in NAMES:
        bucket.put_object(name, b"x")
    for size in (1, 2, 100):
        v1 = [each.key for each in oss2.ObjectIterator(bucket, max_keys=size)]
        v2 = [each.key for each in oss2.ObjectIteratorV2(bucket, max_keys=size)]
        assert v1 == v2 == sorted(NAMES)
    [first] = bucket.list_objects(prefix="c").object_list
    assert (first.size, first.type, first.storage_class) == (1, "Normal", "Standard")
    assert first.etag == hashlib.md5(b"x").hexdigest().upper()


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_objects_are_listed_as_folders(server: OssServer, size: int) -> None:
    bucket = connect(server)
    for name in NAMES:
        bucket.put_object(name, b"x")
    for iterator in (oss2.ObjectIterator, oss2.ObjectIteratorV2):
        each = [
            (found.key, found.is_prefix())
            for found in iterator(bucket, delimiter="/", max_keys=size)
        ]
        assert sorted(each) == [("a/", True), ("b/", True), ("c", False)]
        each = [found.key for found in iterator(bucket, prefix="a/", delimiter="/", max_keys=size)]
        assert sorted(each) == sorted(["a/1", "a/2", "a/b/", "a/任务 4&"])


def test_uploads_are_listed_in_pages(server: OssServer, bucket: oss2.Bucket) -> None:
    keys = ["x/1", "x/1", "x/任务", "x/2", "y"]
    made = sorted((key, bucket.init_multipart_upload(key).upload_id) for key in keys)
    for size in (1, 2, 100):
        listed = oss2.MultipartUploadIterator(bucket, max_uploads=size)
        assert [(each.key, each.upload_id) for each in listed] == made
    listed = oss2.MultipartUploadIterator(bucket, prefix="x/1", max_uploads=1)
    assert [each.upload_id for each in listed] == [upload_id for _, upload_id in made[:2]]
    rest = bucket.list_multipart_uploads(key_marker="x/2")
    assert [each.key for each in rest.upload_list] == ["x/任务", "y"]
    assert abs(rest.upload_list[0].initiation_date - time.time()) < 60


def test_parts_are_listed_in_pages(server: OssServer, bucket: oss2.Bucket) -> None:
    upload_id, parts = upload_parts(bucket, PART, b"2", b"3")
    listed = list(oss2.PartIterator(bucket, KEY, upload_id, max_parts=1))
    assert [(each.part_number, each.etag, each.size) for each in listed] == [
        (each.part_number, each.etag, each.size) for each in parts
    ]


def test_the_bucket_tells_of_itself(server: OssServer, bucket: oss2.Bucket) -> None:
    info = bucket.get_bucket_info()
    assert (info.name, info.location, info.acl.grant) == ("exports", "oss-cn-hangzhou", "private")
    service = oss2.Service(bucket.auth, server.endpoint, region=REGION, session=bucket.session)
    assert [each.name for each in service.list_buckets().buckets] == ["exports"]


# Errors and rights ------------------------------------------------------------------------------


def test_errors_are_documents(server: OssServer, bucket: oss2.Bucket) -> None:
    error = refused(lambda: bucket.get_object("none"))
    assert isinstance(error, oss2.exceptions.NoSuchKey)
    assert (error.status, error.code, error.ec) == (404, "NoSuchKey", "0026-00000001")
    details = dict(error.details)
    assert details.pop("Message") == "The specified key does not exist."
    assert details.pop("RequestId") == error.request_id
    assert details.pop("HostId") == server.endpoint.removeprefix("http://")
    assert details.pop("ServerTime").endswith("GMT")
    assert details == {"Code": "NoSuchKey", "EC": "0026-00000001", "Key": "none"}


def test_a_bucket_that_is_missing(server: OssServer, bucket: oss2.Bucket) -> None:
    error = refused(lambda: connect(server, bucket="other").put_object("k", b"x"))
    assert isinstance(error, oss2.exceptions.NoSuchBucket)
    server.bucket.exists = False
    for call in (bucket.get_bucket_info, lambda: bucket.object_exists("k")):
        assert refused(call).code == "NoSuchBucket"
    assert refused(lambda: bucket.init_multipart_upload("k")).status == 404


def test_credentials_that_only_read(server: OssServer, bucket: oss2.Bucket) -> None:
    bucket.put_object(KEY, b"x")
    server.credentials["test-id"] = Credentials("test-id", "test-secret", read_only=True)
    assert bucket.get_object(KEY).read() == b"x"
    assert bucket.object_exists(KEY)
    for call in (
        lambda: bucket.put_object(KEY, b"y"),
        lambda: bucket.init_multipart_upload(KEY),
        lambda: bucket.delete_object(KEY),
    ):
        error = refused(call)
        assert (error.status, error.code) == (403, "AccessDenied")
    assert server.objects[KEY].data == b"x"


def test_an_operation_that_is_not_served_says_so(server: OssServer) -> None:
    bucket = connect(server)
    bucket.put_object("k", b"x")
    for call in (
        lambda: bucket.copy_object("exports", "k", "l"),
        lambda: bucket.get_bucket_acl(),
        lambda: bucket.append_object("m", 0, b"x"),
    ):
        assert refused(call).code == "NotImplemented"


# Life -------------------------------------------------------------------------------------------


def test_every_request_is_written_down(server: OssServer) -> None:
    bucket = connect(server)
    upload_id, _ = upload_parts(bucket, PART)
    refused(lambda: bucket.get_object("none"))
    assert [(each.operation, each.method, each.key, each.status) for each in server.requests] == [
        ("InitiateMultipartUpload", "POST", KEY, 200),
        ("UploadPart", "PUT", KEY, 200),
        ("GetObject", "GET", "none", 404),
    ]
    [part] = server.asked("UploadPart")
    assert isinstance(part, Asked)
    assert (part.part, part.query["uploadId"]) == (1, upload_id)
    assert part.headers["x-oss-content-sha256"] == "UNSIGNED-PAYLOAD"
    bucket.put_object("k", b"x", headers={"x-oss-traffic-limit": "819200"})
    assert server.requests[-1].headers["x-oss-traffic-limit"] == "819200"


def test_a_connection_serves_many_requests(server: OssServer) -> None:
    """oss2 gives none back after a 204 or a completed upload: it leaves those answers unread."""
    bucket = connect(server)
    for _ in range(20):
        bucket.put_object("k", b"x")
        bucket.head_object("k")
        bucket.get_object("k").read()
        bucket.delete_object("k").resp.read()
        refused(lambda: bucket.get_object("k"))
    assert server.connections_accepted == 1


def test_many_clients_at_once(server: OssServer) -> None:
    bucket = connect(server)
    upload_id = bucket.init_multipart_upload(KEY).upload_id
    numbers = range(1, 33)

    def send(number: int) -> None:
        bucket.upload_part(KEY, upload_id, number, PART + bytes([number]))

    threads = [threading.Thread(target=send, args=(number,)) for number in numbers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    bucket.complete_multipart_upload(KEY, upload_id, None, headers={"x-oss-complete-all": "yes"})
    want = b"".join(PART + bytes([number]) for number in numbers)
    assert server.objects[KEY].data == want
    assert server.objects[KEY].crc64 == crc64(want)


def test_nothing_runs_when_it_has_ended() -> None:
    before = threading.active_count()
    with OssServer() as server:
        bucket = connect(server)
        bucket.put_object("k", b"x")
        assert threading.active_count() == before + 2
        endpoint = server.endpoint
    assert threading.active_count() == before
    with pytest.raises(httpx.ConnectError):
        httpx.get(endpoint)


def test_a_restart_keeps_the_port_and_what_is_stored(
    server: OssServer, bucket: oss2.Bucket
) -> None:
    bucket.put_object("k", b"x")
    upload_id, parts = upload_parts(bucket, PART)
    server.restart()
    assert bucket.get_object("k").read() == b"x"
    bucket.complete_multipart_upload(KEY, upload_id, parts)
    upload_id, parts = upload_parts(bucket, PART)
    server.restart(forget_uploads=True)
    error = refused(lambda: bucket.complete_multipart_upload(KEY, upload_id, parts))
    assert error.code == "NoSuchUpload"


def test_a_server_that_is_down_refuses_connections(server: OssServer) -> None:
    bucket = connect(server)
    server.stop()
    assert isinstance(refused(lambda: bucket.put_object("k", b"x")), oss2.exceptions.RequestError)
    server.start()
    bucket.put_object("k", b"x")


def test_the_checksum_is_crc64_xz() -> None:
    """The check value of CRC-64/XZ in the catalogue of parametrised CRC algorithms."""
    assert crc64(b"123456789") == 0x995DC9BBDF1939FA
    for cut in (0, 1, 4, 9):
        first, second = b"123456789"[:cut], b"123456789"[cut:]
        assert combine(crc64(first), crc64(second), len(second)) == 0x995DC9BBDF1939FA


def test_ten_megabytes_take_milliseconds(server: OssServer) -> None:
    """Ten times what a slow machine needs: a guard against a byte-wise loop."""
    bucket, data = connect(server), bytes(10 * 1024 * 1024)
    started = time.monotonic()
    bucket.put_object("k", data)
    assert time.monotonic() - started < 2
