"""The printed link, over real HTTP, and the API next to it."""

from urllib.parse import urlsplit

import pytest

from tests.support.exports import Json, Put, csv_of, export
from tests.support.site import Running
from tests.support.waiting import wait_for

CONTENT = csv_of(100)


@pytest.fixture(scope="module")
def done(server: Running) -> Json:
    return export(server.client, 100, filename="订单 2024.csv")


class TestLink:
    def test_it_gives_the_file_under_its_name(self, server: Running, done: Json) -> None:
        answer = server.web.get(done["url"])
        assert (answer.status_code, answer.content) == (200, CONTENT)
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert (
            "filename*=UTF-8''%E8%AE%A2%E5%8D%95%202024.csv"
            in (answer.headers["content-disposition"])
        )
        assert answer.headers["etag"] == f'"{done["sha256"]}"'

    @pytest.mark.parametrize(
        ("asked", "expected"),
        [
            ("bytes=0-9", CONTENT[:10]),
            ("bytes=10-", CONTENT[10:]),
            ("bytes=-5", CONTENT[-5:]),
        ],
    )
    def test_a_range_gives_those_bytes(
        self, server: Running, done: Json, asked: str, expected: bytes
    ) -> None:
        answer = server.web.get(done["url"], headers={"Range": asked})
        assert (answer.status_code, answer.content) == (206, expected)

    def test_a_range_behind_the_end_is_refused(self, server: Running, done: Json) -> None:
        answer = server.web.get(done["url"], headers={"Range": "bytes=999999-"})
        assert answer.status_code == 416

    @pytest.mark.parametrize(
        ("part", "other"),
        [
            ("signature=", "signature=0"),
            ("expires=", "expires=9"),
            ("2024.csv", "2025.csv"),
            ("&signature", "&nothing"),
        ],
    )
    def test_a_changed_link_is_refused(
        self, server: Running, done: Json, part: str, other: str
    ) -> None:
        assert part in done["url"]
        answer = server.web.get(done["url"].replace(part, other))
        assert answer.status_code == 403
        assert answer.json()["error"]["code"] == "LINK_INVALID"

    def test_the_signature_of_one_file_opens_no_other(self, server: Running, done: Json) -> None:
        other = export(server.client, 1)
        changed = done["url"].replace(done["task_id"], other["task_id"])
        assert server.web.get(changed).status_code == 403

    def test_it_ends_when_its_time_is_over(self, server: Running, done: Json) -> None:
        link = server.actions.one("url", task_id=done["task_id"], expires_seconds=1)["url"]
        assert server.web.get(link).status_code == 200
        answer = wait_for(
            lambda: found if (found := server.web.get(link)).status_code != 200 else None
        )
        assert answer.status_code == 410
        assert answer.json()["error"]["code"] == "LINK_EXPIRED"

    def test_it_outlives_a_cancel_that_came_too_late(self, server: Running, done: Json) -> None:
        server.actions.one("cancel", task_id=done["task_id"])
        assert server.web.get(done["url"]).content == CONTENT

    def test_a_removed_file_is_gone(self, server: Running) -> None:
        task = export(server.client, 1)
        [name] = [each for each in server.site.files() if task["task_id"] in each]
        (server.site.root / "files" / name).unlink()
        answer = server.web.get(task["url"])
        assert (answer.status_code, answer.json()["error"]["code"]) == (410, "FILE_GONE")
        assert str(server.site.root) not in answer.text


class TestApi:
    def test_one_task(self, server: Running, done: Json) -> None:
        task = server.web.get(f"{server.http}/api/tasks/{done['task_id']}").json()
        assert task["sha256"] == done["sha256"]
        assert urlsplit(task["url"]).path == urlsplit(done["url"]).path
        assert server.web.get(task["url"]).content == CONTENT

    def test_an_unknown_task(self, server: Running) -> None:
        answer = server.web.get(f"{server.http}/api/tasks/nobody")
        assert answer.status_code == 404
        assert answer.json()["error"]["code"] == "TASK_NOT_FOUND"

    def test_tasks_by_pages(self, server: Running) -> None:
        made = [export(server.client, 1)["task_id"] for _ in range(3)]
        first = server.web.get(f"{server.http}/api/tasks", params={"limit": 2}).json()
        assert [task["task_id"] for task in first["tasks"]] == [made[2], made[1]]
        assert first["next"] == made[1]
        query = {"limit": 1, "after": first["next"], "state": "COMPLETED"}
        second = server.web.get(f"{server.http}/api/tasks", params=query).json()
        assert [task["task_id"] for task in second["tasks"]] == [made[0]]

    @pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "x"}, {"state": "DONE"}])
    def test_a_bad_question(self, server: Running, query: dict[str, str]) -> None:
        answer = server.web.get(f"{server.http}/api/tasks", params=query)
        assert answer.status_code == 400
        assert answer.json()["error"]["code"] == "INVALID_DESCRIPTOR"

    def test_cancel(self, server: Running) -> None:
        put = Put(server.client, {"filename": "a.csv"})
        address = f"{server.http}/api/tasks/{put.accepted()}/cancel"
        assert server.web.post(address).status_code == 415
        answer = server.web.post(address, json={})
        assert (answer.status_code, answer.json()["state"]) == (200, "CANCELLED")
        put.drop()
