import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.csv.guard import BEGINNINGS, guarded
from exporters.csv.places import in_column
from exporters.errors import InvalidData
from tests.support.csv_files import changes, file_of, python_rows, with_garbage

WHERE = in_column("v", 10)

KINDS = [pa.string(), pa.large_string()]


def prefixed(texts: pa.Array) -> tuple[list[str | None], int]:
    found, count = guarded(texts, "prefix", WHERE)
    found.validate(full=True)
    return found.to_pylist(), count


def model(text: str | None) -> str | None:
    return f"'{text}" if text and text[0] in "=+-@\t\r" else text


def test_the_beginnings_are_those_of_the_documentation() -> None:
    assert BEGINNINGS == "=+-@\t\r"


@pytest.mark.parametrize("beginning", BEGINNINGS)
@pytest.mark.parametrize("rest", ["", "1+1", "字"])
def test_a_text_that_begins_as_a_formula_does_gets_a_prefix(beginning: str, rest: str) -> None:
    assert prefixed(pa.array([beginning + rest])) == ([f"'{beginning}{rest}"], 1)


@pytest.mark.parametrize(
    "text", ["", "a=1", " =1", "'=1", "1-1", "字=", "\n=1", '"=1"', "−1", "＝1"]
)
def test_another_text_stays(text: str) -> None:
    assert prefixed(pa.array([text])) == ([text], 0)


@pytest.mark.parametrize("kind", KINDS, ids=str)
@given(
    values=st.lists(st.none() | st.text("=+-@\t\ra'字\n", max_size=3), max_size=20),
    start=st.integers(0, 5),
    length=st.integers(0, 20),
)
def test_each_row_is_guarded_alone(
    kind: pa.DataType, values: list[str | None], start: int, length: int
) -> None:
    expected = [model(each) for each in values[start : start + length]]
    changed = sum(before != after for before, after in zip(values[start:], expected, strict=False))
    array = pa.array(values, kind).slice(start, length)
    assert prefixed(array) == (expected, changed)


@pytest.mark.parametrize("guard", ["prefix", "reject"])
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_what_stands_under_a_null_is_no_formula(kind: pa.DataType, guard: str) -> None:
    texts = with_garbage(["a", "", "b"], b"=1", kind)
    found, count = guarded(texts, guard, WHERE)  # type: ignore[arg-type]
    assert (found.to_pylist(), count) == (["a", None, "", None, "b", None], 0)


def test_off_leaves_formulas() -> None:
    assert guarded(pa.array(["=1"]), "off", WHERE)[0].to_pylist() == ["=1"]


@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_reject_names_the_first_formula(beginning: str) -> None:
    with pytest.raises(InvalidData) as raised:
        guarded(pa.array(["a", None, f"{beginning}1", "=2"]), "reject", WHERE)
    assert str(raised.value).startswith(f"column 'v', row 13: {beginning + '1'!r} begins as")


def test_reject_lets_other_texts_pass() -> None:
    texts = pa.array(["a", None, "", "1=1"])
    assert guarded(texts, "reject", WHERE)[0].equals(texts)


@pytest.mark.parametrize("quoting", ["strings", "minimal", "all"])
def test_the_prefix_is_within_the_quotes(quoting: str) -> None:
    data, changed = changes(
        {"v": ["=1", '="a,b"', "plain"], "n": [-1, -2, -3]}, formula_guard="prefix", quoting=quoting
    )
    assert python_rows(data.decode())[1:] == [["'=1", "-1"], ['\'="a,b"', "-2"], ["plain", "-3"]]
    assert changed == {"FORMULAS_GUARDED": 2}


def test_names_are_guarded_and_counted_once() -> None:
    data, changed = changes({"=x": [1, 2], "-y": [1, 2], "z": [1, 2]}, formula_guard="prefix")
    assert data == b'"\'=x","\'-y","z"\n1,1,1\n2,2,2\n'
    assert changed == {"FORMULAS_GUARDED": 2}


def test_a_name_that_is_refused_is_in_the_header() -> None:
    with pytest.raises(InvalidData, match="the header: '=x' begins as a formula"):
        file_of({"=x": [1]}, formula_guard="reject")


def test_names_that_are_not_written_are_not_refused() -> None:
    """A file without a header has none of them."""
    assert file_of({"n": [1]}, formula_guard="reject", header=False) == b"1\n"


@pytest.mark.parametrize(
    "array",
    [
        pa.array([-1, -2]),
        pa.array([-1.5, float("-inf")]),
        pa.array([-(10**6), 5], pa.duration("s")),
        pa.array(["-1.5", "2"]).cast(pa.decimal128(5, 1)),
    ],
    ids=lambda each: str(each.type),
)
def test_numbers_and_durations_are_never_touched(array: pa.Array) -> None:
    assert file_of({"v": array}, formula_guard="reject") == file_of({"v": array})


def test_a_guarded_text_is_then_fitted_to_the_encoding() -> None:
    data, changed = changes(
        {"v": ["=字", "字"]}, formula_guard="prefix", encoding="cp1252", encoding_errors="replace"
    )
    assert data == b'"v"\n"\'=?"\n"?"\n'
    assert changed == {"FORMULAS_GUARDED": 1, "CHARACTERS_REPLACED": 2}


def test_a_guarded_text_needs_quotes_no_more_than_before() -> None:
    data, _ = changes({"v": ["\rx", "=1"]}, formula_guard="prefix", quoting="minimal")
    assert data == b"v\n\"'\rx\"\n'=1\n"
