"""A server whose files go to S3: exports, links, and what survives it."""

import hashlib
import signal

import httpx
import pytest
from pyarrow import flight

from tests.support.exports import Put, csv_of, export, sheet_rows
from tests.support.line import Fault, Trouble, line_to
from tests.support.object_storage import s3_overrides
from tests.support.process import COMMAND, run, served, start
from tests.support.seaweed import Seaweed
from tests.support.site import Site, running
from tests.support.waiting import wait_for

ROWS = 500_000
"""More than the smallest part of S3 as CSV."""


def send_all(put: Put) -> None:
    for first in range(0, ROWS, 50_000):
        put.send(50_000, first)


def test_a_file_of_several_parts_comes_back_through_its_link(
    site: Site, seaweed_server: Seaweed
) -> None:
    overrides = s3_overrides(seaweed_server.endpoint, part_size="5 MiB", prefix="whole")
    with running(site, *overrides) as server:
        task = export(server.client, ROWS, filename="报表 2026.csv")
        assert task["state"] == "COMPLETED"
        answer = httpx.get(task["url"])
        assert answer.content == csv_of(ROWS)
        assert hashlib.sha256(answer.content).hexdigest() == task["sha256"]
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        workbook = export(server.client, 3, filename="orders.xlsx")
        assert len(sheet_rows(httpx.get(workbook["url"]).content)) == 4
        assert server.web.get(f"{server.ops}/health/ready").json()["status"] == "ready"
    assert not site.spools()


def test_an_export_that_is_broken_off_leaves_nothing(site: Site, seaweed_server: Seaweed) -> None:
    overrides = s3_overrides(seaweed_server.endpoint, part_size="5 MiB", prefix="broken/{task_id}")
    with running(site, *overrides) as server:
        put = Put.opened(server.client)
        send_all(put)
        server.wait_for_rows(put.task_id, ROWS)
        server.actions.one("cancel", task_id=put.task_id)
        wait_for(lambda: not site.spools())
        listed = httpx.get(f"{seaweed_server.filer}/buckets/exports/broken/{put.task_id}/")
        assert listed.status_code == 404


def test_a_server_that_is_killed_while_it_uploads_publishes_the_file_when_it_is_back(
    site: Site, seaweed_server: Seaweed
) -> None:
    with line_to(seaweed_server.endpoint) as line:
        overrides = s3_overrides(line.endpoint, part_size="5 MiB", prefix="killed")
        with served(site, *overrides) as server:
            line.script(Fault(Trouble.HANG_BEFORE, "CompleteMultipartUpload"))
            put = Put.opened(server.client, wait=False)
            send_all(put)
            put.commit()
            wait_for(lambda: server.actions.state(put.task_id) == "UPLOADING")
            server.signal(signal.SIGKILL)
            server.exit_code()
        line.script()
        with served(site, *overrides) as server:
            wait_for(lambda: server.actions.state(put.task_id) == "COMPLETED", timeout=60)
            task = server.actions.one("status", task_id=put.task_id)
            assert httpx.get(task["url"]).content == csv_of(ROWS)
            wait_for(lambda: not site.spools())


def test_a_file_that_was_refused_is_sent_again_by_the_operator(
    site: Site, seaweed_server: Seaweed
) -> None:
    with line_to(seaweed_server.endpoint) as line:
        overrides = s3_overrides(line.endpoint, prefix="again", max_retries="0")
        with served(site, *overrides) as server:
            line.script(Fault(Trouble.DENIED, "PutObject", None))
            with pytest.raises(flight.FlightError, match="S3 denied access"):
                export(server.client, 3)
            [failed] = server.actions.all("list")
            line.script()
            settings = [*site.overrides, *overrides, f"logging.output={site.root / 'retry.log'}"]
            sets = [word for setting in settings for word in ("--set", setting)]
            done = run([COMMAND, "retry", failed["task_id"], *sets])
            assert done.returncode == 0, done.stderr
            assert httpx.get(done.stdout.splitlines()[1]).content == csv_of(3)


def test_a_start_that_cannot_use_its_store_says_why_in_one_line(
    site: Site, seaweed_server: Seaweed
) -> None:
    overrides = s3_overrides(seaweed_server.endpoint, secret_access_key="wrong")
    sets = [word for setting in (*site.overrides, *overrides) for word in ("--set", setting)]
    process = start([COMMAND, "serve", *sets])
    _out, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert said.splitlines()[-1] == (
        "STORAGE_ERROR: the store cannot be used: S3 refused the signature: "
        "s3.secret_access_key is not the right one"
    )
    assert "Traceback" not in said
