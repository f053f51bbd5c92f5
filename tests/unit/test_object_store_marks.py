"""Marks survive a crash of the process, and nothing else is taken for one."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flight_server.storage.object_store.marks import Marks


@pytest.fixture
def marks(tmp_path: Path) -> Marks:
    return Marks(tmp_path, "s3")


def test_a_mark_is_found_again_by_another_process(marks: Marks, tmp_path: Path) -> None:
    marks.add("task-1", "crm/报表.csv")
    again = Marks(tmp_path, "s3")
    assert list(again.tasks()) == ["task-1"]
    assert again.key("task-1") == "crm/报表.csv"


def test_the_last_mark_of_a_task_counts_and_is_the_only_file(marks: Marks, tmp_path: Path) -> None:
    marks.add("task-1", "crm/a.csv")
    marks.add("task-1", "crm/b.csv")
    assert marks.key("task-1") == "crm/b.csv"
    assert [path.name for path in tmp_path.iterdir()] == ["task-1.s3.json"]


def test_a_removed_mark_is_none_and_may_be_removed_again(marks: Marks) -> None:
    marks.add("task-1", "crm/a.csv")
    marks.remove("task-1")
    marks.remove("task-1")
    assert marks.key("task-1") is None
    assert list(marks.tasks()) == []


def test_a_mark_of_one_store_is_none_of_another(marks: Marks, tmp_path: Path) -> None:
    marks.add("task-1", "crm/a.csv")
    others = Marks(tmp_path, "gcs")
    assert list(others.tasks()) == []
    assert others.key("task-1") is None


@pytest.mark.parametrize(
    "name",
    ["task-1.spool", "task-1.s3.json.tmp", "-rf.s3.json", ".s3.json", "a b.s3.json", "s3.json"],
)
def test_other_files_of_the_directory_are_no_marks(marks: Marks, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text('{"key": "crm/a.csv"}')
    assert list(marks.tasks()) == []


@pytest.mark.parametrize("text", ["", "{", '{"key": 1}', "[]", '"key"', "{}", "\\xff"])
def test_a_mark_that_says_nothing_names_no_key(marks: Marks, tmp_path: Path, text: str) -> None:
    (tmp_path / "task-1.s3.json").write_text(text)
    assert list(marks.tasks()) == ["task-1"]
    assert marks.key("task-1") is None


def test_a_mark_of_bytes_that_are_no_text_names_no_key(marks: Marks, tmp_path: Path) -> None:
    (tmp_path / "task-1.s3.json").write_bytes(b"\xff\xfe")
    assert marks.key("task-1") is None


def test_a_disk_that_takes_no_mark_is_told_of(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Marks(tmp_path / "gone", "s3").add("task-1", "crm/a.csv")


@given(key=st.text(st.characters(codec="utf-8"), max_size=200))
def test_every_key_comes_back_as_it_was(key: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    marks = Marks(tmp_path_factory.getbasetemp(), "s3")
    marks.add("task-1", key)
    assert marks.key("task-1") == key
