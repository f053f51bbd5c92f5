"""What goes wrong at the OSS test server, on demand, as `oss2` sees it."""

import threading
import time
from collections.abc import Callable, Iterator

import oss2
import pytest
import requests
from hypothesis import HealthCheck, given, settings
from oss2.exceptions import InconsistentError, OssError, RequestError, ServerError
from oss2.models import PartInfo

from tests.support.oss import Fault, FaultKind, OssServer, When
from tests.support.oss.clients import connect
from tests.support.oss.crc64 import crc64
from tests.support.oss.line import CREDIT, Line
from tests.support.oss.strategies import LASTING, UPLOAD_OPERATIONS, fault_schedules
from tests.support.waiting import wait_for

KEY = "exports/a.csv"
PART = bytes(range(256)) * 400


@pytest.fixture
def server() -> Iterator[OssServer]:
    with OssServer() as started:
        yield started


@pytest.fixture
def bucket(server: OssServer) -> oss2.Bucket:
    return connect(server)


def failure(call: Callable[[], object]) -> OssError:
    with pytest.raises(OssError) as caught:
        call()
    return caught.value


def put(bucket: oss2.Bucket, data: bytes = PART) -> oss2.models.PutObjectResult:
    return bucket.put_object(KEY, data)


# Which requests ---------------------------------------------------------------------------------


def test_a_fault_comes_at_the_nth_request_and_so_many_times(
    server: OssServer, bucket: oss2.Bucket
) -> None:
    fault = Fault(FaultKind.STATUS, "PutObject", nth=2, times=2)
    server.faults.add(fault)
    assert server.faults.pending == [fault]
    statuses = []
    for _ in range(4):
        try:
            statuses.append(put(bucket).status)
        except ServerError as error:
            statuses.append(error.status)
    assert statuses == [200, 503, 503, 200]
    assert server.faults.fired == [fault, fault]
    assert server.faults.pending == []
    assert [each.status for each in server.requests] == statuses


def test_a_fault_may_be_of_an_operation_a_part_or_a_key(
    server: OssServer, bucket: oss2.Bucket
) -> None:
    server.faults.add(
        Fault(FaultKind.STATUS, "UploadPart", part=2),
        Fault(FaultKind.STATUS, key="other", status=500),
    )
    upload_id = bucket.init_multipart_upload(KEY).upload_id
    bucket.upload_part(KEY, upload_id, 1, PART)
    assert failure(lambda: bucket.upload_part(KEY, upload_id, 2, PART)).status == 503
    bucket.upload_part(KEY, upload_id, 2, PART)
    put(bucket)
    assert failure(lambda: bucket.head_object("other")).status == 500


def test_a_fault_without_an_end_lasts_until_it_is_cleared(
    server: OssServer, bucket: oss2.Bucket
) -> None:
    server.faults.add(Fault(FaultKind.STATUS, times=None))
    for _ in range(3):
        assert failure(lambda: put(bucket)).status == 503
    server.faults.clear()
    put(bucket)


def test_faults_compose(server: OssServer, bucket: oss2.Bucket) -> None:
    """One request may be slow, have its bytes spoiled, and lose its connection."""
    server.faults.add(
        Fault(FaultKind.SLOW, seconds=0.05),
        Fault(FaultKind.BIT_FLIP),
        Fault(FaultKind.RESET, when=When.AFTER_STORING),
    )
    started = time.monotonic()
    assert isinstance(failure(lambda: put(bucket)), RequestError)
    assert time.monotonic() - started >= 0.05
    assert server.objects[KEY].data != PART


# Each kind --------------------------------------------------------------------------------------


@pytest.mark.parametrize("when", list(When))
@pytest.mark.parametrize(("status", "code"), [(500, "InternalError"), (503, "ServiceUnavailable")])
def test_an_error_with_a_document(
    server: OssServer, bucket: oss2.Bucket, status: int, code: str, when: When
) -> None:
    server.faults.add(Fault(FaultKind.STATUS, status=status, when=when))
    error = failure(lambda: put(bucket))
    assert (error.status, error.code) == (status, code)
    assert error.request_id
    assert (KEY in server.objects) is (when is When.AFTER_STORING)
    put(bucket)


def test_an_error_with_a_code_of_ones_own(server: OssServer, bucket: oss2.Bucket) -> None:
    server.faults.add(Fault(FaultKind.STATUS, status=503, code="UploadTrafficRateLimitExceeded"))
    assert failure(lambda: put(bucket)).code == "UploadTrafficRateLimitExceeded"


@pytest.mark.parametrize("when", list(When))
def test_an_error_without_a_document(server: OssServer, bucket: oss2.Bucket, when: When) -> None:
    """As a proxy in between gives it."""
    server.faults.add(Fault(FaultKind.STATUS, status=502, xml=False, when=when))
    error = failure(lambda: put(bucket, PART * 100))
    assert (error.status, error.code, error.body) == (502, "", b"")
    put(bucket)


@pytest.mark.parametrize("when", list(When))
@pytest.mark.parametrize("size", [1, 100])
def test_a_reset(server: OssServer, bucket: oss2.Bucket, when: When, size: int) -> None:
    server.faults.add(Fault(FaultKind.RESET, when=when))
    error = failure(lambda: put(bucket, PART * size))
    assert isinstance(error, RequestError)
    assert error.status == -2
    wait_for(lambda: len(server.requests) == 1)
    assert server.requests[0].status is None
    assert (KEY in server.objects) is (when is When.AFTER_STORING)
    assert put(bucket).status == 200


def test_a_reset_takes_the_answer_of_a_refusal_too(server: OssServer, bucket: oss2.Bucket) -> None:
    server.faults.add(Fault(FaultKind.RESET, when=When.AFTER_STORING))
    assert isinstance(failure(lambda: bucket.get_object("none")), RequestError)
    assert failure(lambda: bucket.get_object("none")).code == "NoSuchKey"


def test_a_hang_goes_on_when_it_is_released(server: OssServer, bucket: oss2.Bucket) -> None:
    server.faults.add(Fault(FaultKind.HANG))
    thread = threading.Thread(target=put, args=(bucket,))
    thread.start()
    wait_for(lambda: server.faults.hanging == 1)
    assert server.objects == {}
    server.faults.release()
    thread.join()
    assert server.objects[KEY].data == PART
    assert server.faults.hanging == 0


def test_a_hang_has_a_bound(server: OssServer, bucket: oss2.Bucket) -> None:
    server.faults.add(Fault(FaultKind.HANG, seconds=0.05, when=When.AFTER_STORING))
    started = time.monotonic()
    put(bucket)
    assert time.monotonic() - started >= 0.05


def test_a_client_that_does_not_wait_so_long(server: OssServer) -> None:
    """What it asked for happens all the same, later."""
    server.faults.add(Fault(FaultKind.HANG))
    error = failure(lambda: put(connect(server, timeout=0.2)))
    assert isinstance(error, RequestError)
    assert "timed out" in str(error).lower()
    server.faults.release()
    wait_for(lambda: KEY in server.objects)


def test_a_server_that_stops_frees_who_hangs() -> None:
    with OssServer() as server:
        server.faults.add(Fault(FaultKind.HANG, times=None))
        bucket = connect(server)
        thread = threading.Thread(target=lambda: failure(lambda: put(bucket)))
        thread.start()
        wait_for(lambda: server.faults.hanging == 1)
        server.restart()
        server.faults.clear()
        thread.join()
        assert server.objects == {}
        put(bucket)


def test_an_answer_that_is_cut(server: OssServer, bucket: oss2.Bucket) -> None:
    server.faults.add(Fault(FaultKind.TRUNCATED))
    assert isinstance(failure(lambda: put(bucket)), RequestError)
    assert server.objects[KEY].data == PART


@pytest.mark.parametrize("size", [1, 100])
def test_a_download_that_is_cut(server: OssServer, bucket: oss2.Bucket, size: int) -> None:
    """oss2 gives the error of `requests` itself while a body is read."""
    put(bucket, PART * size)
    server.faults.add(Fault(FaultKind.TRUNCATED, "GetObject"))
    got = bucket.get_object(KEY)
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        got.read()
    assert bucket.get_object(KEY).read() == PART * size


def test_a_checksum_that_is_wrong(server: OssServer, bucket: oss2.Bucket) -> None:
    server.faults.add(Fault(FaultKind.WRONG_CRC))
    assert isinstance(failure(lambda: put(bucket)), InconsistentError)
    assert server.objects[KEY].data == PART
    assert server.objects[KEY].crc64 == crc64(PART)


def test_no_checksum(server: OssServer, bucket: oss2.Bucket) -> None:
    """oss2 checks none then."""
    server.faults.add(Fault(FaultKind.NO_CRC), Fault(FaultKind.BIT_FLIP))
    assert put(bucket).crc is None
    assert server.objects[KEY].data != PART


def test_bytes_that_are_stored_wrong(server: OssServer, bucket: oss2.Bucket) -> None:
    """Content-MD5 was right when they came; the checksum tells of what is stored."""
    server.faults.add(Fault(FaultKind.BIT_FLIP))
    digest = oss2.utils.content_md5(PART)
    error = failure(lambda: bucket.put_object(KEY, PART, headers={"Content-MD5": digest}))
    assert isinstance(error, InconsistentError)
    stored = server.objects[KEY]
    assert sum((a ^ b).bit_count() for a, b in zip(stored.data, PART, strict=True)) == 1
    assert stored.crc64 == crc64(stored.data)


def test_a_part_that_is_stored_wrong_spoils_the_whole(
    server: OssServer, bucket: oss2.Bucket
) -> None:
    bucket.enable_crc = False
    server.faults.add(Fault(FaultKind.BIT_FLIP, "UploadPart", part=1))
    upload_id = bucket.init_multipart_upload(KEY).upload_id
    parts = []
    for number in (1, 2):
        done = bucket.upload_part(KEY, upload_id, number, PART)
        parts.append(PartInfo(number, done.etag))
    done = bucket.complete_multipart_upload(KEY, upload_id, parts)
    assert int(done.headers["x-oss-hash-crc64ecma"]) != crc64(PART * 2)
    assert server.objects[KEY].crc64 == crc64(server.objects[KEY].data)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (FaultKind.ACCESS_DENIED, "AccessDenied"),
        (FaultKind.EXPIRED_TOKEN, "SecurityTokenExpired"),
        (FaultKind.CLOCK_SKEW, "RequestTimeTooSkewed"),
    ],
)
def test_a_refusal(server: OssServer, bucket: oss2.Bucket, kind: FaultKind, code: str) -> None:
    server.faults.add(Fault(kind))
    error = failure(lambda: put(bucket))
    assert (error.status, error.code) == (403, code)
    assert server.objects == {}


def test_an_upload_that_is_forgotten(server: OssServer, bucket: oss2.Bucket) -> None:
    server.faults.add(Fault(FaultKind.NO_SUCH_UPLOAD, "UploadPart", part=2))
    upload_id = bucket.init_multipart_upload(KEY).upload_id
    bucket.upload_part(KEY, upload_id, 1, PART)
    for _ in range(2):
        error = failure(lambda: bucket.upload_part(KEY, upload_id, 2, PART))
        assert error.code == "NoSuchUpload"
    assert server.uploads == {}


# Slowness ---------------------------------------------------------------------------------------


def test_latency(server: OssServer, bucket: oss2.Bucket) -> None:
    server.latency = 0.03
    started = time.monotonic()
    for _ in range(3):
        put(bucket)
    assert time.monotonic() - started >= 0.09


def test_bandwidth_is_of_all_connections_together(server: OssServer) -> None:
    server.bandwidth = 4 * len(PART) / 0.2
    threads = [
        threading.Thread(target=connect(server).put_object, args=(str(n), PART)) for n in range(4)
    ]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - started >= 0.18
    assert len(server.objects) == 4


def test_bandwidth_is_of_downloads_too(server: OssServer, bucket: oss2.Bucket) -> None:
    put(bucket)
    server.bandwidth = len(PART) / 0.1
    started = time.monotonic()
    assert bucket.get_object(KEY).read() == PART
    assert time.monotonic() - started >= 0.08


def test_a_line_catches_up_with_waits_that_end_late() -> None:
    now, late = 100.0, 0.015
    line = Line(lambda: now)
    for _ in range(100):
        if delay := line.delay(1_000, 100_000):
            now += delay + late
    assert now == pytest.approx(100.0 + 100 * 1_000 / 100_000, abs=CREDIT)


def test_a_line_that_was_idle_owes_no_more_than_its_credit() -> None:
    now = 100.0
    line = Line(lambda: now)
    line.delay(1_000, 100_000)
    now += 3600
    assert line.delay(5_000, 100_000) == pytest.approx(0.05 - CREDIT)


def test_connections_share_a_line() -> None:
    line = Line(lambda: 100.0)
    delays = [line.delay(5_000, 100_000) for _ in range(3)]
    assert delays == pytest.approx([each - CREDIT for each in (0.05, 0.1, 0.15)])


def test_a_traffic_limit_is_honoured_where_that_is_asked_for(
    server: OssServer, bucket: oss2.Bucket
) -> None:
    limit = {"x-oss-traffic-limit": str(8 * 10 * len(PART))}  # a tenth of a second
    server.honour_traffic_limit = True
    started = time.monotonic()
    bucket.put_object(KEY, PART, headers=limit)
    assert time.monotonic() - started >= 0.1
    started = time.monotonic()
    url = bucket.sign_url("GET", KEY, 60, params=dict(limit))
    assert bucket.get_object_with_url(url).read() == PART
    assert time.monotonic() - started >= 0.1


# Schedules --------------------------------------------------------------------------------------


def upload(bucket: oss2.Bucket, tries: int = 12) -> bool:
    """An uploader as simple as can be: again from the start, until an upload went well."""
    for _ in range(tries):
        try:
            upload_id = bucket.init_multipart_upload(KEY).upload_id
            parts = []
            for number in (1, 2, 3):
                done = bucket.upload_part(KEY, upload_id, number, PART)
                parts.append(PartInfo(number, done.etag, size=len(PART), part_crc=done.crc))
            done = bucket.complete_multipart_upload(KEY, upload_id, parts)
        except (OssError, requests.RequestException):  # the latter while oss2 reads an answer
            continue
        return bool(done.status == 200)
    return False


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(schedule=fault_schedules(parts=3, max_faults=3))
def test_a_schedule_ends_and_comes_again_the_same(
    schedule: list[Fault],
) -> None:
    """The same faults at the same requests, whoever runs it."""
    seen = []
    for _ in range(2):
        with OssServer() as server:
            server.faults.add(*schedule)
            bucket = connect(server)
            bucket.enable_crc = False  # what is left out of answers, oss2 would fall over
            assert upload(bucket)
            asked = [(each.operation, each.part, each.status) for each in server.requests]
            seen.append((server.faults.fired, asked))
    assert seen[0] == seen[1]


@settings(max_examples=25)
@given(schedule=fault_schedules(kinds=LASTING, operations=("UploadPart",), parts=9, max_times=3))
def test_schedules_are_what_is_asked_for(schedule: list[Fault]) -> None:
    assert len(schedule) <= 4
    for fault in schedule:
        assert fault.kind in LASTING
        assert fault.operation == "UploadPart"
        assert fault.part is None or 1 <= fault.part <= 9
        assert 1 <= (fault.times or 0) <= 3
    assert set(UPLOAD_OPERATIONS) >= {fault.operation for fault in schedule}
