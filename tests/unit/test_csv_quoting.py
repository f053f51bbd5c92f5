import pyarrow as pa
import pytest

from exporters.csv.places import in_column
from exporters.csv.quoting import BYTE_ORDER_MARK, Quoting, quoted
from exporters.errors import InvalidData
from tests.support.csv_files import file_of, python_rows, with_garbage

KINDS = [pa.string(), pa.large_string()]
WHERE = in_column("v", 0)

PLAIN = Quoting(delimiter=",", null="", alone=False)


def where_needed(texts: pa.Array, quoting: Quoting = PLAIN, **begins: bool) -> list[str | None]:
    found = quoting.where_needed(texts, may_begin_file=begins.get("may_begin_file", False))
    found.validate(full=True)
    return found.to_pylist()


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_quotes_stand_around_every_text_and_no_null(kind: pa.DataType) -> None:
    texts = pa.array(["", "a", None, '"', 'a"b""c', "字"], kind)
    assert quoted(texts).to_pylist() == ['""', '"a"', None, '""""', '"a""b""""c"', '"字"']


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("place", ["{}b", "a{}b", "a{}", "{}"])
@pytest.mark.parametrize("special", ["\r", "\n", "\r\n", ";"])
def test_what_parts_cells_is_quoted_wherever_it_stands(
    special: str, place: str, kind: pa.DataType
) -> None:
    text = place.format(special)
    texts = pa.array(["", "plain", text, None, "", ",", text], kind)
    assert where_needed(texts, Quoting(";", "", False)) == [
        '""', "plain", f'"{text}"', None, '""', ",", f'"{text}"',
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text", [" a", "a ", "#a", "'", "\\", "\t", "\u2028", "\x85", "字", "\x00"]
)
def test_what_parts_no_cells_is_not_quoted(text: str) -> None:
    assert where_needed(pa.array([text])) == [text]


def test_a_text_like_the_one_for_null_is_quoted() -> None:
    quoting = Quoting(",", "NULL", False)
    texts = pa.array(["NULL", "null", "NULLS", "", None])
    assert where_needed(texts, quoting) == ['"NULL"', "null", "NULLS", '""', None]


@pytest.mark.parametrize("text", ["ID", "ID;x", "IDENTITY", BYTE_ORDER_MARK, f"{BYTE_ORDER_MARK}a"])
def test_what_looks_like_another_kind_of_file_is_quoted_where_it_may_begin_one(text: str) -> None:
    assert where_needed(pa.array([text]), may_begin_file=True) == [f'"{text}"']
    assert where_needed(pa.array([text])) == [text]


@pytest.mark.parametrize("text", ["I", "id", "xID", f"a{BYTE_ORDER_MARK}", " ID"])
def test_what_does_not_begin_so_is_not_quoted(text: str) -> None:
    assert where_needed(pa.array([text]), may_begin_file=True) == [text]


def test_a_slice_is_quoted_by_its_own_rows() -> None:
    texts = pa.array(["a,b", "", "c", None, "d\n", "e", "ID"])
    every = where_needed(texts, may_begin_file=True)
    for start in range(8):
        for length in range(8 - start):
            part = texts.slice(start, length)
            assert where_needed(part, may_begin_file=True) == every[start : start + length]


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("garbage", [b'",\r\n', b"ID", b"NULL", b"\xff"])
def test_what_stands_under_a_null_needs_no_quotes(garbage: bytes, kind: pa.DataType) -> None:
    texts = with_garbage(["a", "b,c"], garbage, kind)
    quoting = Quoting(",", "NULL", False)
    assert where_needed(texts, quoting, may_begin_file=True) == ["a", None, '"b,c"', None]
    quoting.refuse(texts.slice(0, 2), WHERE)
    with pytest.raises(InvalidData, match="row 3: 'b,c'"):
        quoting.refuse(texts, WHERE)


@pytest.mark.parametrize("quoting", ["minimal", "none"])
def test_a_null_over_garbage_is_written_as_null(quoting: str) -> None:
    texts = with_garbage(["a", "b"], b'x",\n')
    assert file_of({"v": texts, "n": [1] * 4}, quoting=quoting) == b"v,n\na,1\n,1\nb,1\n,1\n"


@pytest.mark.parametrize("text", ['a"b', "a\rb", "a\nb", "a,b", ",", '"'])
@pytest.mark.parametrize("columns", [1, 2])
def test_none_names_the_row_and_column_of_a_text_that_needs_quotes(text: str, columns: int) -> None:
    table = {"v": ["a", None, text, text], "n": [1] * 4}
    if columns == 1:
        table = {"v": ["a", "b", text, text]}
    with pytest.raises(InvalidData) as raised:
        file_of(table, quoting="none")
    assert str(raised.value).startswith(f"column 'v', row 3: {text!r} holds a quote, a line end")


def test_none_refuses_a_name_that_needs_quotes() -> None:
    with pytest.raises(InvalidData, match="the header: 'a,b' holds a quote"):
        file_of({"a,b": [1]}, quoting="none")


@pytest.mark.parametrize(("value", "shown"), [("", "''"), (None, "null")])
def test_none_refuses_an_empty_line(value: str | None, shown: str) -> None:
    with pytest.raises(InvalidData, match=f"column 'v', row 2: {shown} would be an empty line"):
        file_of({"v": ["a", value]}, quoting="none")


def test_none_refuses_an_empty_line_of_a_null_number() -> None:
    with pytest.raises(InvalidData, match="column 'v', row 2: null would be an empty line"):
        file_of({"v": [1, None]}, quoting="none")


def test_none_lets_a_null_with_a_text_stand_alone() -> None:
    assert file_of({"v": ["a", None]}, quoting="none", null="-") == b"v\na\n-\n"


def test_none_writes_texts_as_they_are() -> None:
    table = {"v": ["a b", "", "字", "=1", "ID", None], "w": [" ", ";", "'", "\t", "\\", "x"]}
    assert file_of(table, quoting="none").decode() == ("v,w\na b, \n,;\n字,'\n=1,\t\nID,\\\n,x\n")


def test_all_quotes_every_value_but_null() -> None:
    table = {
        "t": ["a", "", None], "n": [1, None, -2], "f": [0.5, 1.0, None], "b": [True, None, False],
        "d": pa.array([0, None, 1], pa.date32()), "s": pa.array([0, 1, None], pa.timestamp("s")),
    }  # fmt: skip
    assert file_of(table, quoting="all").decode() == (
        '"t","n","f","b","d","s"\n'
        '"a","1","0.5","true","1970-01-01","1970-01-01 00:00:00"\n'
        '"",,"1",,,"1970-01-01 00:00:01"\n'
        ',"-2",,"false","1970-01-02",\n'
    )


@pytest.mark.parametrize("array", [pa.array([1, None]), pa.array(["1", None])])
@pytest.mark.parametrize(("null", "text"), [("", '""'), ("NULL", "NULL")])
def test_all_shows_a_null_that_stands_alone(array: pa.Array, null: str, text: str) -> None:
    assert file_of({"v": array}, quoting="all", null=null).decode() == f'"v"\n"1"\n{text}\n'


@pytest.mark.parametrize("quoting", ["strings", "minimal", "all"])
def test_a_text_equal_to_null_differs_from_it(quoting: str) -> None:
    data = file_of({"v": ["-", None, ""], "n": ["a"] * 3}, quoting=quoting, null="-", header=False)
    assert [line.partition(b",")[0] for line in data.splitlines()] == [b'"-"', b"-", b'""']


@pytest.mark.parametrize("quoting", ["strings", "minimal", "all"])
@pytest.mark.parametrize("header", [True, False])
def test_no_file_but_one_without_quotes_begins_as_another_kind_of_file(
    header: bool, quoting: str
) -> None:
    for text in ("ID", "ID,x", f"{BYTE_ORDER_MARK}x"):
        table = {text: [text, "x", text], "n": [1, 2, 3]}
        data = file_of(table, quoting=quoting, header=header)
        assert data.startswith(b'"' + text.encode())
        rows = python_rows(data.decode())
        assert rows[-3:] == [[text, "1"], ["x", "2"], [text, "3"]]


def test_only_the_first_cell_is_kept_from_looking_like_another_kind_of_file() -> None:
    data = file_of({"a": ["ID"], "ID": ["ID"]}, quoting="minimal")
    assert data == b"a,ID\nID,ID\n"


@pytest.mark.parametrize("quoting", ["strings", "minimal", "all", "none"])
def test_no_rows_are_the_names_alone(quoting: str) -> None:
    table = {"a": pa.array([], pa.string()), "b": pa.array([], pa.int8())}
    names = b"a,b\n" if quoting in ("minimal", "none") else b'"a","b"\n'
    assert file_of(table, quoting=quoting) == names
