"""Texts that CSV options refuse or change, over Flight: what the sender is told, what is left."""

from typing import Any

import pyarrow as pa
import pytest

from tests.support.exports import Json, Put, refused
from tests.support.site import Running

ROWS = 30_000
"""Several blocks, so that a refusal meets others that are formatted already."""


def people(**names: str) -> pa.RecordBatch:
    """Rows of which some, as `row_7`, have a name of their own."""
    texts = ["王小明"] * ROWS
    for row, text in names.items():
        texts[int(row.removeprefix("row_")) - 1] = text
    return pa.record_batch({"id": range(ROWS), "姓名": texts})


def asked(**options: Any) -> Json:
    return {"filename": "people.csv", "options": options}


def sent(server: Running, batch: pa.RecordBatch, **options: Any) -> Put:
    put = Put(server.client, asked(**options), batch.schema)
    put.accepted()
    for start in range(0, batch.num_rows, 4_096):
        put.send_batch(batch.slice(start, 4_096))
    put.commit(batch.num_rows)
    return put


def assert_refused(server: Running, batch: pa.RecordBatch, *words: str, **options: Any) -> None:
    """The export fails with `words` in the message, and nothing of it is left."""
    put = Put(server.client, asked(**options), batch.schema)
    task_id = put.accepted()
    with refused("INVALID_DATA", str(server.site.root)) as refusal:
        for start in range(0, batch.num_rows, 4_096):
            put.send_batch(batch.slice(start, 4_096))
        put.commit(batch.num_rows)
        put.answers()
    for each in words:
        assert each in refusal.message
    assert (refusal.task_id, refusal.retryable) == (task_id, False)
    server.assert_failed(task_id, "INVALID_DATA")
    assert server.actions.one("status", task_id=task_id)["error"]["message"] == refusal.message


@pytest.mark.parametrize("row", [1, 20_001, ROWS])
def test_a_character_that_the_encoding_lacks_is_told_with_its_row_and_column(
    server: Running, row: int
) -> None:
    assert_refused(
        server,
        people(**{f"row_{row}": "𠮷野家"}),
        f"column '姓名', row {row}: '𠮷野家' has '𠮷' (U+20BB7), which gbk lacks",
        encoding="gbk",
    )


def test_the_same_name_is_written_in_an_encoding_that_has_it(server: Running) -> None:
    batch = people(row_20001="𠮷野家")
    task = sent(server, batch, encoding="gb18030").result()
    assert (task["state"], task["warnings"]) == ("COMPLETED", [])
    answer = server.web.get(task["url"])
    assert answer.headers["content-type"] == "text/csv; charset=gb18030"
    lines = answer.content.decode("gb18030").split("\n")
    assert lines[0] == '"id","姓名"'
    assert lines[20_001] == '20000,"𠮷野家"'
    assert len(lines) == ROWS + 2


@pytest.mark.parametrize("row", [1, 20_001, ROWS])
def test_a_formula_that_is_to_be_refused_is_told_with_its_row_and_column(
    server: Running, row: int
) -> None:
    assert_refused(
        server,
        people(**{f"row_{row}": "=1+1"}),
        f"column '姓名', row {row}: '=1+1' begins as a formula does",
        formula_guard="reject",
    )


def test_rows_are_counted_through_all_files_of_an_archive(server: Running) -> None:
    assert_refused(
        server,
        people(row_20001="=1+1"),
        "column '姓名', row 20001: '=1+1'",
        formula_guard="reject",
        rows_per_file=3_000,
    )


def test_of_several_refused_texts_the_first_row_is_told(server: Running) -> None:
    batch = people(row_9000="=2", row_20000="=3")
    assert_refused(server, batch, "row 9000: '=2'", formula_guard="reject")


@pytest.mark.parametrize(
    ("header", "options"), [("=1+1", {"formula_guard": "reject"}), ("𠮷", {"encoding": "gbk"})]
)
def test_a_refused_header_is_told_and_fails_the_task(
    server: Running, header: str, options: Json
) -> None:
    assert_refused(server, pa.record_batch({header: ["x"]}), "the header", repr(header), **options)


@pytest.mark.parametrize(
    ("text", "options"),
    [("=1", {"formula_guard": "reject"}), ("𠮷", {"encoding": "gbk"}), (",", {"quoting": "none"})],
)
@pytest.mark.parametrize("letter", ["x", "名", '"'])
def test_a_column_of_a_very_long_name_makes_a_message_that_still_arrives(
    server: Running, letter: str, text: str, options: Json
) -> None:
    """gRPC carries an error in its trailers, which may hold some kilobytes."""
    batch = pa.record_batch({letter * 5_000: [text]})
    assert_refused(server, batch, header=False, **options)


@pytest.mark.parametrize(
    ("options", "lines", "warnings"),
    [
        (
            {"encoding": "gbk", "encoding_errors": "replace"},
            ['"?","b"', '"?野家","=1"', ',"?"', '"王","-2"'],
            [("CHARACTERS_REPLACED", 3)],
        ),
        (
            {"encoding": "gbk", "encoding_errors": "xmlcharref", "formula_guard": "prefix"},
            ['"&#134071;","b"', '"&#134071;野家","\'=1"', ',"&#128512;"', '"王","\'-2"'],
            [("CHARACTERS_REPLACED", 3), ("FORMULAS_GUARDED", 2)],
        ),
        (
            {"formula_guard": "prefix"},
            ['"𠮷","b"', '"𠮷野家","\'=1"', ',"😀"', '"王","\'-2"'],
            [("FORMULAS_GUARDED", 2)],
        ),
    ],
)
def test_what_is_changed_is_counted_in_the_warnings_of_the_task(
    server: Running, options: Json, lines: list[str], warnings: list[tuple[str, int]]
) -> None:
    """The header counts as a cell."""
    batch = pa.record_batch({"𠮷": ["𠮷野家", None, "王"], "b": ["=1", "😀", "-2"]})
    result = sent(server, batch, **options).result()
    text = server.web.get(result["url"]).content.decode(options.get("encoding", "utf-8"))
    assert text.splitlines() == lines
    for task in (result, server.actions.one("status", task_id=result["task_id"])):
        assert task["state"] == "COMPLETED"
        assert [(each["code"], each["count"]) for each in task["warnings"]] == warnings


def test_a_server_refuses_and_goes_on(server: Running) -> None:
    """Whatever the tests above have sent, no spool and no file of a refused export is left."""
    assert server.site.spools() == []
    task = sent(server, people(), formula_guard="reject", encoding="gbk").result()
    assert (task["state"], task["rows"]) == ("COMPLETED", ROWS)
