"""A server whose files go to OSS: exports, links, and what survives it."""

import hashlib
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pyarrow import flight

from tests.support.exports import Put, csv_of, export, sheet_rows
from tests.support.oss import Fault, FaultKind, OssServer
from tests.support.process import COMMAND, Served, run, served
from tests.support.site import Site, running
from tests.support.waiting import wait_for

ROWS = 100_000


@pytest.fixture
def oss() -> Iterator[OssServer]:
    with OssServer() as started:
        yield started


def overrides(oss: OssServer) -> list[str]:
    return [
        "storage.backend=oss",
        f"oss.endpoint={oss.endpoint}",
        "oss.region=cn-hangzhou",
        "oss.bucket=exports",
        "oss.access_key_id=test-id",
        "oss.access_key_secret=test-secret",
        "oss.part_size=100 KiB",
        "oss.prefix=reports/{date}",
    ]


def send_all(put: Put) -> None:
    """ROWS in many batches: the last blocks of a stream wait for its end."""
    for start in range(0, ROWS, 10_000):
        put.send(10_000, start)


def sent(oss: OssServer) -> list[int]:
    """The numbers of the parts that were sent, in the order in which they came in."""
    return [each.part or 0 for each in oss.asked("UploadPart")]


@pytest.mark.parametrize("signature", ["v4", "v1"])
def test_a_csv_file_is_sent_in_parts_and_its_link_gives_it_back(
    site: Site, oss: OssServer, signature: str
) -> None:
    with served(site, *overrides(oss), f"oss.signature={signature}") as server:
        task = export(server.client, ROWS, filename="报表 2026.csv", request_id="r-1")
        assert task["state"] == "COMPLETED"
        answer = httpx.get(task["url"])
        again = server.actions.one("status", task_id=task["task_id"])["url"]
        assert httpx.get(again).content == answer.content
    assert answer.content == csv_of(ROWS)
    assert hashlib.sha256(answer.content).hexdigest() == task["sha256"]
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == (
        "attachment; filename=\"__ 2026.csv\"; filename*=UTF-8''%E6%8A%A5%E8%A1%A8%202026.csv"
    )
    [(key, stored)] = oss.objects.items()
    assert key.startswith("reports/20")
    assert key.endswith(f"/{task['task_id']}/报表 2026.csv")
    assert stored.tags == {
        "task_id": task["task_id"],
        "client": "anonymous",
        "request_id": "r-1",
        "sha256": task["sha256"],
    }
    assert sorted(sent(oss)) == list(range(1, 1 + -(-len(stored.data) // 102_400)))
    assert not site.spools()


def test_a_small_workbook_is_one_put_with_its_sha256(site: Site, oss: OssServer) -> None:
    with served(site, *overrides(oss)) as server:
        task = export(server.client, 3, filename="orders.xlsx")
        content = httpx.get(task["url"]).content
    assert sheet_rows(content)[1:] == [[float(each), f"name {each}"] for each in range(3)]
    assert hashlib.sha256(content).hexdigest() == task["sha256"]
    [stored] = oss.objects.values()
    assert stored.meta == {"sha256": task["sha256"]}
    assert not oss.asked("InitiateMultipartUpload")


def test_parts_go_up_while_rows_still_arrive(site: Site, oss: OssServer) -> None:
    with running(site, *overrides(oss)) as server:
        put = Put.opened(server.client)
        send_all(put)
        wait_for(lambda: len(oss.asked("UploadPart")) >= 4)
        assert not oss.objects
        put.commit()
        assert put.result()["state"] == "COMPLETED"


def test_an_export_that_is_broken_off_leaves_nothing_in_the_bucket(
    site: Site, oss: OssServer
) -> None:
    with running(site, *overrides(oss)) as server:
        put = Put.opened(server.client)
        send_all(put)
        wait_for(lambda: len(oss.asked("UploadPart")) >= 4)
        server.actions.one("cancel", task_id=put.task_id)
        wait_for(lambda: not oss.uploads)
        put.drop()
        wait_for(lambda: not site.spools())
    assert not oss.objects


def test_a_server_that_is_killed_while_it_uploads_goes_on_from_the_parts_that_are_there(
    site: Site, oss: OssServer
) -> None:
    oss.faults.add(Fault(FaultKind.HANG, "UploadPart", part=5, times=None))
    with served(site, *overrides(oss)) as server:
        put = Put.opened(server.client)
        send_all(put)
        put.commit()
        put.half_close()
        wait_for(lambda: server.actions.state(put.task_id) == "UPLOADING")
        parts = -(-len(csv_of(ROWS)) // 102_400)
        wait_for(lambda: oss.uploads and len(next(iter(oss.uploads.values())).parts) == parts - 1)
        server.signal(signal.SIGKILL)
        server.exit_code()
    oss.faults.clear()
    oss.faults.release()
    before = len(sent(oss))
    with served(site, *overrides(oss)) as server:
        wait_for(lambda: server.actions.state(put.task_id) == "COMPLETED")
        task = server.actions.one("status", task_id=put.task_id)
        assert httpx.get(task["url"]).content == csv_of(ROWS)
    assert len(sent(oss)) - before <= 1
    assert not oss.uploads
    assert not site.spools()


def test_a_server_that_is_killed_while_rows_arrive_leaves_nothing_once_it_is_back(
    site: Site, oss: OssServer
) -> None:
    with served(site, *overrides(oss)) as server:
        put = Put.opened(server.client)
        send_all(put)
        wait_for(lambda: len(oss.asked("UploadPart")) >= 4)
        server.signal(signal.SIGKILL)
        server.exit_code()
    with served(site, *overrides(oss)) as server:
        task = server.actions.one("status", task_id=put.task_id)
        assert task["error"]["code"] == "INTERRUPTED"
        assert not oss.uploads
        assert not site.spools()


def test_a_server_that_is_killed_while_it_removes_a_cancelled_export_does_so_once_it_is_back(
    site: Site, oss: OssServer
) -> None:
    oss.faults.add(Fault(FaultKind.HANG, "UploadPart", part=3, times=None))
    with served(site, *overrides(oss)) as server:
        put = Put.opened(server.client)
        send_all(put)
        wait_for(lambda: oss.faults.hanging)
        cancelling = Thread(target=cancel_or_not, args=(server, put.task_id))
        cancelling.start()  # it waits until no part is under way any more
        wait_for(lambda: server.actions.state(put.task_id) == "CANCELLED")
        server.signal(signal.SIGKILL)
        server.exit_code()
        cancelling.join(20)
    oss.faults.clear()
    oss.restart()
    with served(site, *overrides(oss)) as server:
        assert server.actions.state(put.task_id) == "CANCELLED"
        wait_for(lambda: not (oss.uploads or site.spools()))
    assert not oss.objects


def cancel_or_not(server: Served, task_id: str) -> None:
    with suppress(flight.FlightError):
        server.actions.one("cancel", task_id=task_id)


def test_a_server_that_is_told_to_stop_while_it_uploads_goes_on_at_its_next_start(
    site: Site, oss: OssServer
) -> None:
    oss.faults.add(Fault(FaultKind.HANG, "CompleteMultipartUpload", times=None))
    with served(site, *overrides(oss), "server.shutdown_grace=300ms") as server:
        put = Put.opened(server.client)
        send_all(put)
        put.commit()
        put.half_close()
        wait_for(lambda: oss.faults.hanging)
        server.signal(signal.SIGTERM)
        server.exit_code()
    oss.faults.clear()
    oss.faults.release()
    with served(site, *overrides(oss)) as server:
        wait_for(lambda: server.actions.state(put.task_id) == "COMPLETED")
    [stored] = oss.objects.values()
    assert stored.data == csv_of(ROWS)
    assert not oss.uploads


def test_an_upload_that_oss_forgot_meanwhile_is_sent_again(site: Site, oss: OssServer) -> None:
    oss.faults.add(Fault(FaultKind.HANG, "CompleteMultipartUpload", times=None))
    with served(site, *overrides(oss)) as server:
        put = Put.opened(server.client)
        send_all(put)
        put.commit()
        put.half_close()
        wait_for(lambda: oss.faults.hanging)
        server.signal(signal.SIGKILL)
        server.exit_code()
    oss.faults.clear()
    oss.restart(forget_uploads=True)
    with served(site, *overrides(oss)) as server:
        wait_for(lambda: server.actions.state(put.task_id) == "COMPLETED")
        task = server.actions.one("status", task_id=put.task_id)
        assert httpx.get(task["url"]).content == csv_of(ROWS)


def test_links_of_a_public_bucket_are_plain(site: Site, oss: OssServer) -> None:
    oss.bucket.public_read = True
    with running(site, *overrides(oss), "oss.public=true") as server:
        url = export(server.client)["url"]
    assert "?" not in url
    answer = httpx.get(url)
    assert answer.content == csv_of(3)
    assert answer.headers["content-disposition"].startswith("attachment")


def test_a_link_lives_as_long_as_it_says(site: Site, oss: OssServer) -> None:
    with running(site, *overrides(oss), "oss.signed_url_expiry=1h") as server:
        query = parse_qs(urlsplit(export(server.client)["url"]).query)
    assert 3590 <= int(query["x-oss-expires"][0]) <= 3600


def test_readiness_tells_of_a_store_that_is_gone(site: Site, oss: OssServer) -> None:
    """The look that the start has taken is believed for the interval."""
    settings = [*overrides(oss), "monitoring.health_check_interval=100ms"]
    with running(site, *settings) as server:
        oss.bucket.exists = False
        ready = f"{server.ops}/health/ready"
        wait_for(lambda: httpx.get(ready).status_code == 503)
        answer = httpx.get(ready)
    said = answer.json()["components"]["storage"]
    assert said["message"] == (
        "the store cannot be used: OSS has no bucket of that name (oss.bucket)"
    )


def test_the_file_is_read_through_flight_too(site: Site, oss: OssServer) -> None:
    with running(site, *overrides(oss)) as server:
        task = export(server.client, ROWS)
        info = server.client.get_flight_info(flight.FlightDescriptor.for_path(task["task_id"]))
        read = server.client.do_get(info.endpoints[0].ticket).read_all()
    assert b"".join(read.column("data").to_pylist()) == csv_of(ROWS)


def test_a_file_that_could_not_be_stored_is_sent_again_by_the_operator(
    site: Site, oss: OssServer
) -> None:
    """With the server still running, and its client long gone."""
    with served(site, *overrides(oss), "oss.max_retries=0") as server:
        oss.faults.add(Fault(FaultKind.ACCESS_DENIED, "CompleteMultipartUpload", times=None))
        put = Put.opened(server.client)
        send_all(put)
        put.commit()
        with pytest.raises(flight.FlightError, match="UPLOAD_ERROR"):
            put.result()
        assert not oss.objects
        assert not oss.uploads
        assert site.spools() == [f"{put.task_id}.spool"]
        refused = retry(site, oss, put.task_id)
        assert refused.returncode == 1
        assert refused.stderr.startswith("UPLOAD_ERROR: the file could not be stored: OSS denied")
        oss.faults.clear()
        done = retry(site, oss, put.task_id)
        assert done.returncode == 0, done.stderr
        said, link = done.stdout.splitlines()
        content = csv_of(ROWS)
        assert said == f"orders.csv is COMPLETED, {len(content):,} bytes"
        task = server.actions.one("status", task_id=put.task_id)
        for url in link, task["url"]:
            assert httpx.get(url).content == content
        assert task["error"] is None
        assert not site.spools()


def retry(site: Site, oss: OssServer, task_id: str) -> subprocess.CompletedProcess[str]:
    settings = [*site.overrides, *overrides(oss), "oss.max_retries=0"]
    settings.append(f"logging.output={site.root / 'retry.log'}")
    sets = [word for setting in settings for word in ("--set", setting)]
    return run([COMMAND, "retry", task_id, *sets])
