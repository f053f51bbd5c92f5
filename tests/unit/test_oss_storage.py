"""What goes wrong with OSS, what is said of it, and what is cleaned away."""

import itertools
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import oss2
import pytest
import requests

from flight_server.config import Credentials, Signature
from flight_server.errors import ErrorCode, ServiceError
from flight_server.storage.base import Target
from flight_server.storage.faults import Fault, Stopped
from flight_server.storage.oss.credentials import RoleProvider
from flight_server.storage.oss.crew import Crew
from flight_server.storage.oss.faults import fault_of
from flight_server.storage.oss.storage import OssStorage
from flight_server.storage.patience import Patience
from tests.support.oss import Fault as ServerFault
from tests.support.oss import FaultKind, OssServer, When
from tests.support.oss_storage import no_wait, oss_storage
from tests.support.waiting import wait_for

TARGET = Target("t-1", "crm", "orders.csv", "text/csv", "r-1")
PART = 1000


@pytest.fixture
def server() -> Iterator[OssServer]:
    with OssServer() as started:
        started.bucket.min_part_size = 1
        yield started


@pytest.fixture
def storage(server: OssServer, tmp_path: Path) -> OssStorage:
    return oss_storage(server, tmp_path, part_size=PART)


def publish(storage: OssStorage, size: int = 2500, target: Target = TARGET) -> None:
    with storage.open_upload(target) as upload:
        upload.write(b"x" * size)
        upload.seal()
        upload.publish()


def test_parts_are_counted_as_they_are_taken(storage: OssStorage) -> None:
    publish(storage, 2500)
    assert storage.parts_sent() == 3
    publish(storage, 5, replace(TARGET, task_id="t-2"))
    assert storage.parts_sent() == 3, "a small file has none"


# What is said at the start ------------------------------------------------------------------


def why_not(storage: OssStorage) -> str:
    with pytest.raises(ServiceError) as refused:
        storage.start()
    assert refused.value.code is ErrorCode.STORAGE_ERROR
    return refused.value.message


def test_a_store_that_can_be_used_is_left_as_it_was(server: OssServer, storage: OssStorage) -> None:
    storage.start()
    assert not server.objects
    assert storage.check() == "OSS answers, and the bucket can be used"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"bucket": "nobodys"}, "OSS has no bucket of that name (oss.bucket)"),
        ({"access_key_id": "who"}, "OSS does not know the access key (oss.access_key_id)"),
        (
            {"access_key_secret": "wrong"},
            "OSS refused the signature: oss.access_key_secret, or oss.region, is not the right one",
        ),
        (
            {"upload_endpoint": "http://127.0.0.1:1", "max_retries": 0},
            "OSS could not be reached (oss.endpoint)",
        ),
    ],
)
def test_each_failure_has_one_clear_sentence(
    server: OssServer, tmp_path: Path, changes: dict[str, Any], sentence: str
) -> None:
    assert why_not(oss_storage(server, tmp_path, **changes)) == (
        f"the store cannot be used: {sentence}"
    )


def test_a_clock_that_is_wrong_is_told_by_how_much(server: OssServer, tmp_path: Path) -> None:
    server.clock_offset = 37 * 60
    assert why_not(oss_storage(server, tmp_path)) == (
        "the store cannot be used: this machine's clock is wrong: 37 minutes behind that of OSS; "
        "OSS allows 15 minutes"
    )


def test_a_key_that_may_only_read_is_told(tmp_path: Path) -> None:
    with OssServer(read_only=True) as server:
        said = why_not(oss_storage(server, tmp_path))
    assert said == "the store cannot be used: the key for OSS may not write to the bucket"


def test_a_key_that_may_not_tag_is_told_what_to_do(server: OssServer, tmp_path: Path) -> None:
    server.faults.add(ServerFault(FaultKind.ACCESS_DENIED, "PutObjectTagging", times=None))
    assert "oss.tags; {} for none" in why_not(oss_storage(server, tmp_path))
    oss_storage(server, tmp_path, tags={}).start()


def test_there_is_no_endless_start(server: OssServer, tmp_path: Path) -> None:
    server.faults.add(ServerFault(FaultKind.STATUS, times=None))
    assert (
        why_not(oss_storage(server, tmp_path)) == "the store cannot be used: OSS answered 503 "
        "ServiceUnavailable"
    )


def test_a_check_is_believed_for_a_while(server: OssServer, tmp_path: Path) -> None:
    storage = oss_storage(server, tmp_path)
    storage.check()
    before = len(server.requests)
    storage.check()
    assert len(server.requests) == before


def test_the_environment_without_keys_is_told(
    server: OssServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OSS_ACCESS_KEY_ID", "OSS_ACCESS_KEY_SECRET", "OSS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    storage = oss_storage(server, tmp_path, credentials=Credentials.ENVIRONMENT)
    assert "oss.credentials" in why_not(storage)
    monkeypatch.setenv("OSS_ACCESS_KEY_ID", "test-id")
    monkeypatch.setenv("OSS_ACCESS_KEY_SECRET", "test-secret")
    storage.start()


def test_a_temporary_key_brings_its_token(tmp_path: Path) -> None:
    with OssServer(security_token="t0k3n") as server:
        storage = oss_storage(server, tmp_path, security_token="t0k3n")
        storage.start()
        publish(storage, 10)
        assert httpx.get(storage.link(TARGET, soon())).content == b"x" * 10


# Links --------------------------------------------------------------------------------------


def soon() -> datetime:
    return datetime.now(UTC) + timedelta(hours=1)


@pytest.mark.parametrize("signature", Signature)
def test_a_link_is_made_without_the_network_and_gives_the_file(
    server: OssServer, tmp_path: Path, signature: Signature
) -> None:
    storage = oss_storage(server, tmp_path, signature=signature)
    publish(storage)
    before = len(server.requests)
    link = storage.link(TARGET, soon())
    assert len(server.requests) == before
    answer = httpx.get(link)
    assert answer.content == b"x" * 2500
    assert answer.headers["content-type"] == "text/csv"
    assert answer.headers["content-disposition"].startswith('attachment; filename="orders.csv"')


def test_a_link_names_the_public_endpoint(server: OssServer, tmp_path: Path) -> None:
    storage = oss_storage(server, tmp_path, endpoint="https://oss-cn-hangzhou.aliyuncs.com")
    publish(storage)
    assert storage.link(TARGET, soon()).startswith(
        "https://exports.oss-cn-hangzhou.aliyuncs.com/crm/undated/t-1/orders.csv?"
    )


def test_no_link_lives_longer_than_seven_days(storage: OssStorage) -> None:
    query = parse_qs(urlsplit(storage.link(TARGET, soon() + timedelta(days=30))).query)
    assert query["x-oss-expires"] == ["604800"]


def role(seconds: float, soon_over: bool = False) -> Any:
    return SimpleNamespace(
        expiration=datetime.now(UTC).timestamp() + seconds, will_soon_expire=lambda: soon_over
    )


def test_the_keys_of_a_role_are_renewed_before_they_end_and_nobody_waits() -> None:
    old, new = role(60, soon_over=True), role(3600)
    release, kept = threading.Event(), [new, old]

    def fetch() -> Any:
        if len(kept) == 1:
            assert release.wait(20)
        return kept.pop()

    provider = RoleProvider(fetch)
    assert provider.get_credentials() is old
    assert provider.get_credentials() is old
    release.set()
    wait_for(lambda: provider.get_credentials() is new)
    assert provider.expires_at == datetime.fromtimestamp(new.expiration, UTC)


def test_the_keys_of_a_role_that_cannot_be_renewed_are_used_on_and_it_is_logged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    old, said = role(60, soon_over=True), list[str]()
    log = SimpleNamespace(warning=lambda *_said, error: said.append(str(error)))
    monkeypatch.setattr("flight_server.storage.oss.credentials._log", log)
    kept = [old]

    def fetch() -> object:
        if not kept:
            raise OSError("no route")
        return kept.pop()

    provider = RoleProvider(fetch)
    assert provider.get_credentials() is old
    assert provider.get_credentials() is old
    wait_for(lambda: "no route" in said)
    assert provider.get_credentials() is old


def test_the_keys_of_a_role_that_have_ended_are_not_used() -> None:
    kept = [role(3600), role(-1)]
    provider = RoleProvider(kept.pop)
    assert provider.get_credentials().expiration < datetime.now(UTC).timestamp()
    assert provider.get_credentials().expiration > datetime.now(UTC).timestamp()


@pytest.mark.parametrize("code", ["SecurityTokenExpired", "InvalidAccessKeyId"])
def test_keys_of_a_role_that_end_during_an_upload_are_renewed(
    server: OssServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    """OSS may refuse them before the time that they were given for."""
    asked: list[int] = []

    def fetch() -> object:
        asked.append(1)
        return oss2.credentials.EcsRamRoleCredential(
            "test-id", "test-secret", "", 4_000_000_000, 3600, 0.85
        )

    provider = RoleProvider(fetch)
    monkeypatch.setattr("flight_server.storage.oss.client.provider_of", lambda _settings: provider)
    storage = oss_storage(server, tmp_path, part_size=PART)
    server.faults.add(ServerFault(FaultKind.STATUS, "UploadPart", nth=2, status=403, code=code))
    publish(storage)
    assert len(asked) == 2
    assert [stored.data for stored in server.objects.values()] == [b"x" * 2500]


def test_a_static_key_that_ends_during_an_upload_fails_it_and_the_file_is_kept(
    server: OssServer, storage: OssStorage
) -> None:
    server.faults.add(ServerFault(FaultKind.EXPIRED_TOKEN, "PutObject", times=None))
    with pytest.raises(ServiceError, match=r"has expired \(oss.security_token\)"):
        publish(storage, 500)
    assert not server.objects
    server.faults.clear()
    assert storage.resume(TARGET, 500)
    assert [stored.data for stored in server.objects.values()] == [b"x" * 500]


# Trying again -------------------------------------------------------------------------------


def server_error(status: int, code: str) -> oss2.exceptions.ServerError:
    return oss2.exceptions.ServerError(status, {}, b"", {"Code": code})


@pytest.mark.parametrize(
    ("error", "transient"),
    [
        (oss2.exceptions.RequestError(requests.ConnectionError("/secret/path")), True),
        (oss2.exceptions.InconsistentError("crc"), True),
        (server_error(500, "InternalError"), True),
        (server_error(503, ""), True),
        (server_error(400, "RequestTimeout"), True),
        (server_error(429, "TooManyRequests"), True),
        (server_error(403, "AccessDenied"), False),
        (server_error(403, "RequestTimeTooSkewed"), False),
        (server_error(404, "NoSuchBucket"), False),
        (server_error(400, "InvalidArgument"), False),
        (oss2.exceptions.ClientError("no key"), False),
    ],
)
def test_only_what_may_pass_is_tried_again(error: Any, transient: bool) -> None:
    fault = fault_of(error)
    assert fault.transient is transient
    assert "secret" not in fault.sentence


class Calls:
    """Fails with the faults, one after the other, then answers."""

    def __init__(self, *faults: Fault) -> None:
        self.faults = list(faults)
        self.made = 0

    def __call__(self) -> str:
        self.made += 1
        if self.faults:
            raise self.faults.pop(0)
        return "done"


LATER = Fault("later", transient=True)
NEVER = Fault("never")


def never_over() -> float:
    return float("inf")


def test_a_transient_fault_is_tried_again_so_often() -> None:
    patience = Patience(2, 60, wait=no_wait)
    calls = Calls(LATER, LATER)
    assert patience.persist(calls, stopped=threading.Event(), deadline=never_over) == "done"
    calls = Calls(LATER, LATER, LATER)
    with pytest.raises(Fault, match="later"):
        patience.persist(calls, stopped=threading.Event(), deadline=never_over)
    assert calls.made == 3


def test_any_other_fault_is_final_but_for_cleaning_up() -> None:
    patience = Patience(2, 60, wait=no_wait)
    calls = Calls(NEVER)
    with pytest.raises(Fault, match="never"):
        patience.persist(calls, stopped=threading.Event(), deadline=never_over)
    assert calls.made == 1
    assert patience.insist(Calls(NEVER, NEVER)) == "done"


def test_waits_grow_and_differ_and_end_with_the_time_there_is() -> None:
    waits: list[float] = []
    now = [0.0]

    def wait(seconds: float, _stopped: threading.Event) -> None:
        waits.append(seconds)
        now[0] += seconds

    patience = Patience(1000, 60, wait=wait, clock=lambda: now[0])
    with pytest.raises(Fault):
        patience.persist(Calls(*[LATER] * 1000), stopped=threading.Event(), deadline=lambda: 60.0)
    assert 60 <= now[0] <= 70
    assert max(waits) <= 10
    assert waits[0] <= 0.2
    assert len(set(waits)) == len(waits)


def test_nothing_is_tried_once_the_upload_is_ended() -> None:
    stopped = threading.Event()
    stopped.set()
    with pytest.raises(Stopped):
        Patience(3, 60).persist(Calls(), stopped=stopped, deadline=never_over)


def test_a_crew_is_no_larger_than_it_may_be() -> None:
    crew, running, most, done = Crew(2), [0], [0], threading.Semaphore(0)
    lock = threading.Lock()

    def job() -> None:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        with lock:
            running[0] -= 1
        done.release()

    for _ in range(50):
        crew.submit(job)
    assert all(done.acquire(timeout=20) for _ in range(50))
    crew.close()
    crew.close()
    assert most[0] <= 2


# Failing and cleaning up --------------------------------------------------------------------


def write_for_ever(storage: OssStorage) -> None:
    with storage.open_upload(TARGET) as upload:
        while True:
            upload.write(b"x" * 100)


def test_a_refused_part_ends_the_export_while_rows_still_arrive(
    server: OssServer, storage: OssStorage
) -> None:
    server.faults.add(ServerFault(FaultKind.ACCESS_DENIED, "UploadPart"))
    with pytest.raises(ServiceError) as refused:
        write_for_ever(storage)
    assert refused.value.code is ErrorCode.UPLOAD_ERROR
    assert refused.value.message == (
        "the file could not be stored: OSS denied access: the key lacks a permission for the bucket"
    )
    assert not server.uploads


def test_an_outage_while_rows_arrive_costs_nothing_once_it_is_over(
    server: OssServer, storage: OssStorage
) -> None:
    server.faults.add(ServerFault(FaultKind.STATUS, "UploadPart", times=None))
    with storage.open_upload(TARGET) as upload:
        upload.write(b"x" * 10_000)
        wait_for(lambda: len(server.asked("UploadPart")) >= 8)
        upload.write(b"x" * 10_000)
        server.faults.clear()
        upload.seal()
        upload.publish()
    [stored] = server.objects.values()
    assert stored.data == b"x" * 20_000


def test_an_upload_that_is_deleted_while_it_is_published_leaves_nothing(
    server: OssServer, storage: OssStorage, tmp_path: Path
) -> None:
    """As when a task is cancelled: the owner may be in the middle of its last request."""
    for operation, when in itertools.product(("PutObject", "CompleteMultipartUpload"), When):
        server.faults.add(ServerFault(FaultKind.HANG, operation, when=when))
        size = 10 if operation == "PutObject" else 2500
        owner = threading.Thread(target=publish_or_not, args=(storage, size))
        owner.start()
        wait_for(lambda: server.faults.hanging)
        storage.delete(TARGET)
        server.faults.release()
        owner.join(20)
        assert not owner.is_alive()
        assert not server.objects, (operation, when)
        assert not server.uploads
        assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("is_open", [True, False])
def test_the_spool_of_what_is_deleted_goes_last(
    server: OssServer, storage: OssStorage, tmp_path: Path, is_open: bool
) -> None:
    """A server that is killed meanwhile finds by it what is left in the bucket."""
    server.faults.add(ServerFault(FaultKind.HANG, "AbortMultipartUpload"))
    with storage.open_upload(TARGET) as upload:
        upload.write(b"x" * 2500)
        upload.seal()
        if is_open:
            assert_spooled_while_deleting(server, storage, tmp_path)
    if not is_open:
        assert_spooled_while_deleting(server, storage, tmp_path)
    assert not server.uploads
    assert not list(tmp_path.iterdir())


def assert_spooled_while_deleting(server: OssServer, storage: OssStorage, directory: Path) -> None:
    deleting = threading.Thread(target=storage.delete, args=(TARGET,))
    deleting.start()
    wait_for(lambda: server.faults.hanging)
    assert (directory / "t-1.spool").exists()
    server.faults.release()
    deleting.join(20)
    assert not deleting.is_alive()


def test_the_spool_stays_until_the_last_request_of_its_owner_has_arrived(
    server: OssServer, storage: OssStorage, tmp_path: Path
) -> None:
    """The object may come into being after everything has been deleted."""
    server.faults.add(ServerFault(FaultKind.HANG, "PutObject", when=When.BEFORE_STORING))
    owner = threading.Thread(target=publish_or_not, args=(storage, 10))
    owner.start()
    wait_for(lambda: server.faults.hanging)
    storage.delete(TARGET)
    assert (tmp_path / "t-1.spool").exists()
    server.faults.release()
    owner.join(20)
    assert not server.objects
    assert not list(tmp_path.iterdir())


def test_the_spool_stays_until_its_owner_has_recorded_what_it_has_published(
    server: OssServer, storage: OssStorage, tmp_path: Path
) -> None:
    """Else nothing would tell of the object of an export that is cancelled in between."""
    with storage.open_upload(TARGET) as upload:
        upload.write(b"x" * 10)
        upload.seal()
        upload.publish()
        assert server.objects
        assert (tmp_path / "t-1.spool").exists()
    assert not list(tmp_path.iterdir())


def publish_or_not(storage: OssStorage, size: int) -> None:
    with suppress(ServiceError):
        publish(storage, size)


def test_what_cannot_be_removed_now_is_removed_by_the_sweep(
    server: OssServer, storage: OssStorage, tmp_path: Path
) -> None:
    server.faults.add(ServerFault(FaultKind.STATUS, "CompleteMultipartUpload", times=None))
    server.faults.add(ServerFault(FaultKind.STATUS, "AbortMultipartUpload", times=None))
    with pytest.raises(ServiceError):
        publish(storage)
    assert len(server.uploads) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["t-1.oss.json", "t-1.spool"]
    server.faults.clear()
    storage.sweep(datetime.now(UTC), ())
    assert not server.uploads
    assert [path.name for path in tmp_path.iterdir()] == ["t-1.spool"]
    assert storage.sweep(datetime.now(UTC) + timedelta(hours=2), ()) == 1
    assert not list(tmp_path.iterdir())


def test_the_sweep_leaves_uploads_of_others_alone_for_a_day(
    server: OssServer, storage: OssStorage, tmp_path: Path
) -> None:
    other = oss_storage(server, tmp_path / "elsewhere", part_size=PART)
    with other.open_upload(TARGET) as upload:
        upload.write(b"x" * 2500)
        upload.seal()
    storage.sweep(datetime.now(UTC) + timedelta(hours=2), ())
    assert len(server.uploads) == 1
    storage.sweep(datetime.now(UTC) + timedelta(hours=25), ())
    assert not server.uploads


def test_the_sweep_deletes_only_what_this_service_has_stored(
    server: OssServer, tmp_path: Path
) -> None:
    storage = oss_storage(server, tmp_path, prefix="reports", retention=timedelta(days=1))
    publish(storage)
    stranger = oss_storage(server, tmp_path / "x", prefix="reports/by/hand")
    publish(stranger, target=Target("t-2", "crm", "a.csv", "text/csv"))
    assert storage.sweep(datetime.now(UTC) + timedelta(days=2), ()) == 1
    assert list(server.objects) == ["reports/by/hand/t-2/a.csv"]


def test_parts_with_other_bytes_than_the_spool_are_sent_again(
    server: OssServer, storage: OssStorage, tmp_path: Path
) -> None:
    with storage.open_upload(TARGET) as upload:
        upload.write(b"x" * 2500)
        upload.seal()
        wait_for(lambda: sum(len(each.parts) for each in server.uploads.values()) == 3)
    (tmp_path / "t-1.spool").write_bytes(b"x" * 1500 + b"y" * 1000)
    before = len(server.asked("UploadPart"))
    assert storage.resume(TARGET, 2500)
    assert len(server.asked("UploadPart")) - before == 2
    [stored] = server.objects.values()
    assert stored.data == b"x" * 1500 + b"y" * 1000


def test_an_upload_goes_on_under_another_prefix(
    server: OssServer, storage: OssStorage, tmp_path: Path
) -> None:
    with storage.open_upload(TARGET) as upload:
        upload.write(b"x" * 2500)
        upload.seal()
    assert oss_storage(server, tmp_path, prefix="new").resume(TARGET, 2500)
    assert list(server.objects) == ["new/t-1/orders.csv"]
    assert not server.uploads


def test_a_published_object_whose_spool_is_left_is_not_sent_again(
    server: OssServer, storage: OssStorage, tmp_path: Path
) -> None:
    """As after a crash between the publication and the removal of the spool."""
    publish(storage)
    (tmp_path / "t-1.spool").write_bytes(b"x" * 2500)
    before = len(server.requests)
    assert storage.resume(TARGET, 2500)
    assert [each.operation for each in server.requests[before:]] == ["HeadObject", "HeadObject"]
    assert not list(tmp_path.iterdir())


def test_objects_are_stored_as_the_configuration_says(
    server: OssServer, storage: OssStorage
) -> None:
    configured = oss_storage(
        server,
        storage._directory / "more",
        headers={"x-oss-storage-class": "IA"},
        sending_headers={"x-oss-traffic-limit": "819200"},
    )
    publish(configured)
    [stored] = server.objects.values()
    assert stored.storage_class == "IA"
    assert server.asked("PutObject")[0].headers["x-oss-traffic-limit"] == "819200"
