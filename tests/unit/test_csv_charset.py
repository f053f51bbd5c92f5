import encodings
import pkgutil
from encodings import aliases
from functools import cache

import pyarrow as pa
import pytest

from exporters import CsvOptions
from exporters.csv.charset import Charset, codec_name
from exporters.errors import InvalidData, InvalidOptions
from tests.support.csv_files import changes, file_of, python_rows, with_garbage

ASCII = [chr(each) for each in range(128)]
OF_OTHERS = [chr(each) for each in range(128, 0x10000) if not 0xD800 <= each < 0xE000]

_LOST = {"iso2022": "\x0e\x0f\x1b", "cp864": "%"}
"""Characters of ASCII that a codec has no bytes for: RFC 1468 keeps those that switch alphabets."""


def accepted() -> list[str]:
    """Every codec of this Python that files can be in."""
    modules = {each.name for each in pkgutil.iter_modules(encodings.__path__)}
    found = set()
    for name in {*aliases.aliases, *aliases.aliases.values(), *modules}:
        try:
            found.add(codec_name(name))
        except ValueError:
            continue
    return sorted(found)


ACCEPTED = accepted()


def ascii_of(name: str) -> list[str]:
    lost = next((each for begin, each in _LOST.items() if name.startswith(begin)), "")
    return [each for each in ASCII if each not in lost]


@cache
def own_characters(name: str, most: int = 60) -> list[str]:
    """Some characters beyond ASCII that a codec reads back as they were."""
    found = [each for each in OF_OTHERS if _survives(each, name)]
    return found[:: max(1, len(found) // most)]


def _survives(character: str, name: str) -> bool:
    try:
        return character.encode(name).decode(name) == character
    except UnicodeError:
        return False


def own_texts(name: str) -> list[str]:
    own = own_characters(name)
    plain = ascii_of(name)
    beside = [f'{each}{own[0] if own else "x"}"q",{each}' for each in plain]
    return [*plain, *own, *beside, "<" + "".join(own), "".join(plain), "C:\\~{x}|y"]


def model(columns: list[list[str]], quoting: str) -> str:
    """The lines of texts, none of them empty or like a signature, in plain Python."""

    def cell(text: str) -> str:
        needed = quoting != "minimal" or any(each in text for each in '",\r\n')
        return '"' + text.replace('"', '""') + '"' if needed else text

    names = [f"c{place}" for place in range(len(columns))]
    rows = [names, *map(list, zip(*columns, strict=True))]
    return "".join(",".join(map(cell, row)) + "\n" for row in rows)


@pytest.mark.parametrize("columns", [1, 2])
@pytest.mark.parametrize("quoting", ["strings", "minimal", "all"])
@pytest.mark.parametrize("name", ACCEPTED)
def test_every_encoding_reads_back_as_it_was(name: str, quoting: str, columns: int) -> None:
    texts = [own_texts(name)] * columns
    table = {f"c{place}": each for place, each in enumerate(texts)}
    assert file_of(table, encoding=name, quoting=quoting).decode(name) == model(texts, quoting)


@pytest.mark.parametrize("name", ACCEPTED)
def test_ascii_alone_reads_back_in_every_encoding(name: str) -> None:
    texts = ["C:\\temp", "~user", 'a"b', "x,y", "plain"]
    assert file_of({"c0": texts}, encoding=name).decode(name) == model([texts], "strings")


@pytest.mark.parametrize("name", ACCEPTED)
def test_every_encoding_has_each_delimiter(name: str) -> None:
    for delimiter in ";\t|~\\^#[":
        texts = [f"{delimiter}x", *own_characters(name)]
        columns = {"a": texts, "b": [1] * len(texts)}
        data = file_of(columns, encoding=name, quoting="minimal", delimiter=delimiter)
        rows = python_rows(data.decode(name), delimiter)
        assert rows == [["a", "b"], *([each, "1"] for each in texts)]


def test_the_encodings_are_those_that_pythons_documentation_lists() -> None:
    assert len(ACCEPTED) > 90
    assert {"utf-8", "utf-8-sig", "utf-16", "gb18030", "cp037", "hz", "utf-7"} <= {*ACCEPTED}


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("UTF8", "utf-8"), ("utf_8_sig", "utf-8-sig"), ("U16", "utf-16"), ("GB18030", "gb18030"),
        ("Latin-1", "iso8859-1"), ("windows-1252", "cp1252"), ("EUC-KR", "euc_kr"),
        ("Shift-JIS", "shift_jis"), ("sjis", "shift_jis"), ("ISO 8859-15", "iso8859-15"),
        ("ISO-2022-JP", "iso2022_jp"), ("936", "gbk"), ("big5-hkscs", "big5hkscs"),
    ],
)  # fmt: skip
def test_a_name_may_be_written_as_python_lets_it(name: str, codec: str) -> None:
    assert codec_name(name) == codec
    assert CsvOptions(encoding=name).encoding == codec


@pytest.mark.parametrize(
    "name", ["base64", "rot13", "hex", "zlib", "bz2", "uu", "quopri", "idna", "punycode",
             "undefined", "unicode_escape", "raw_unicode_escape"]
)  # fmt: skip
def test_what_is_no_encoding_of_files_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="it is no encoding of text files"):
        codec_name(name)


@pytest.mark.parametrize("name", ["", "klingon", "utf\x008", "u\ud800", "../utf_8", "空"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="there is no encoding of that name"):
        codec_name(name)


def test_a_mistyped_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(ValueError, match="gb18030"):
        codec_name("gb1803")


@pytest.mark.parametrize(
    ("name", "mark"),
    [
        ("utf-8", b""), ("utf-8-sig", b"\xef\xbb\xbf"), ("utf-16", b"\xff\xfe"),
        ("utf-32", b"\xff\xfe\0\0"), ("utf-16-le", b""), ("utf-16-be", b""), ("utf-32-be", b""),
    ],
)  # fmt: skip
def test_the_mark_stands_once_at_the_start(name: str, mark: bytes) -> None:
    rows = [str(each) for each in range(3)]
    batches = file_of({"c0": rows}, encoding=name)
    assert batches.startswith(mark)
    assert batches.decode(name) == model([rows], "strings")
    assert file_of({"c0": rows}, encoding=name, header=False) == (
        mark + '"0"\n"1"\n"2"\n'.encode(Charset(name).codec)
    )


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("utf-8-sig", "utf-8"), ("cp1252", "windows-1252"), ("latin-1", "iso-8859-1"),
        ("euc_kr", "euc-kr"), ("iso2022_jp", "iso-2022-jp"), ("gb18030", "gb18030"),
        ("utf-16", "utf-16"), ("cp037", "cp037"), ("shift_jis", "shift_jis"),
    ],
)  # fmt: skip
def test_the_content_type_names_the_charset(name: str, label: str) -> None:
    assert CsvOptions(encoding=name).content_type("text/csv") == f"text/csv; charset={label}"


CONTROLS = [chr(each) for each in range(32)]


@pytest.mark.parametrize("name", ["gbk", "cp1252", "shift_jis", "utf-16"])
@pytest.mark.parametrize("rows", [1, 2, 32, 33, 1000])
def test_columns_that_hold_every_control_character_are_encoded(name: str, rows: int) -> None:
    texts = ["".join(CONTROLS) + ("é" if name == "cp1252" else "字")] * rows
    assert file_of({"c0": texts, "c1": texts}, encoding=name).decode(name) == model(
        [texts, texts], "strings"
    )


def test_control_characters_over_many_rows_are_encoded() -> None:
    texts = [f"字{each}" for each in CONTROLS] * 20
    values = [*texts, None, "", "末"]
    rows = python_rows(file_of({"v": values, "n": [1] * len(values)}, encoding="gbk").decode("gbk"))
    assert [row[0] for row in rows[1:]] == [each or "" for each in values]


def test_every_control_character_stays_where_others_are_replaced() -> None:
    texts = ["".join(CONTROLS) + "é", "字", "plain"] * 3
    data, changed = changes({"c0": texts}, encoding="cp1252", encoding_errors="replace")
    assert data.decode("cp1252") == model([[each.replace("字", "?") for each in texts]], "strings")
    assert changed == {"CHARACTERS_REPLACED": 3}


@pytest.mark.parametrize("name", ["ascii", "latin-1", "cp037", "gbk", "iso2022_jp", "hz"])
def test_an_error_names_row_column_and_character(name: str) -> None:
    texts = ["a", None, "b", "fine😀 after", "😀"]
    with pytest.raises(
        InvalidData, match=r"column 'c1', row 4: 'fine😀 after' has '😀' \(U\+1F600\)"
    ):
        file_of({"c0": ["x"] * 5, "c1": texts}, encoding=name)


def test_an_error_names_the_row_of_the_export_and_not_of_the_batch() -> None:
    with pytest.raises(InvalidData, match="column 'n', row 70001: '字'"):
        file_of({"n": [*["a"] * 70_000, "字"]}, encoding="latin-1")


def test_an_error_in_a_name_says_header() -> None:
    with pytest.raises(InvalidData, match="the header: '名' has '名'"):
        file_of({"名": [1]}, encoding="latin-1")


def test_an_error_repeats_the_beginning_of_a_long_text_alone() -> None:
    with pytest.raises(InvalidData) as raised:
        file_of({"v": ["x" * 5000 + "字"]}, encoding="latin-1")
    assert len(str(raised.value)) < 300


@pytest.mark.parametrize("name", ["latin-1", "cp037", "ascii", "iso2022_kr"])
@pytest.mark.parametrize(("errors", "text"), [("replace", "?"), ("xmlcharref", "&#128512;")])
def test_what_the_encoding_lacks_is_replaced_and_counted(name: str, errors: str, text: str) -> None:
    columns = {"a": ["😀😀", None, "x", "😀", "?"], "b": ["y", "😀", None, "", "&#128512;"]}
    data, changed = changes(columns, encoding=name, encoding_errors=errors)
    assert python_rows(data.decode(name)) == [
        ["a", "b"], [text * 2, "y"], ["", text], ["x", ""], [text, ""], ["?", "&#128512;"],
    ]  # fmt: skip
    assert changed == {"CHARACTERS_REPLACED": 3}


def test_replaced_names_are_counted_once_however_many_rows_there_are() -> None:
    data, changed = changes(
        {"名前": [1, 2, 3], "n": [1, 2, 3]}, encoding="latin-1", encoding_errors="replace"
    )
    assert data.startswith(b'"??","n"\n')
    assert changed == {"CHARACTERS_REPLACED": 1}


def test_every_block_is_counted() -> None:
    texts = ["字" * 100 if each % 3 == 0 else "x" * 100 for each in range(60_000)]
    _, changed = changes({"v": texts}, encoding="latin-1", encoding_errors="replace")
    assert changed == {"CHARACTERS_REPLACED": 20_000}


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
@pytest.mark.parametrize("errors", ["replace", "xmlcharref", "error"])
@pytest.mark.parametrize("name", ["gbk", "latin-1", "ascii", "utf-16", "cp037"])
@pytest.mark.parametrize("garbage", [b"\xff\xfe,\xe5", '"字😀'.encode(), b"\r\n"])
def test_what_stands_under_a_null_does_not_matter(
    garbage: bytes, name: str, errors: str, kind: pa.DataType
) -> None:
    texts = with_garbage(["ok", "end"], garbage, kind)
    # A second column makes the block be looked at once more, but for errors.
    other = ["x"] * 4 if errors == "error" else ["\ue000😀", "x", "x", "x"]
    data, _ = changes({"v": texts, "w": other}, encoding=name, encoding_errors=errors)
    rows = python_rows(data.decode(name))
    assert [row[0] for row in rows] == ["v", "ok", "", "end", ""]


@pytest.mark.parametrize("character", ["\x0e", "\x0f", "\x1b"])
@pytest.mark.parametrize("name", ["iso2022_jp", "iso2022_kr", "iso2022_jp_2004"])
def test_what_switches_alphabets_cannot_stand_in_a_text(name: str, character: str) -> None:
    with pytest.raises(InvalidData, match=r"column 'v', row 2: .* lacks"):
        file_of({"v": ["a", f"b{character}$B"]}, encoding=name)
    with pytest.raises(InvalidOptions, match=r"lacks a character of null"):
        CsvOptions.parse({"encoding": name, "null": character})


@pytest.mark.parametrize("name", ["euc_jis_2004", "shift_jis_2004", "euc_jisx0213"])
def test_a_letter_that_may_take_an_accent_is_encoded_at_the_end_of_a_text(name: str) -> None:
    texts = ["æ", "か", "ə", "か\u309a", "æ"]
    assert file_of({"c0": texts}, encoding=name).decode(name) == model([texts], "strings")


@pytest.mark.parametrize("option", ["null", "true", "false"])
def test_a_word_that_the_encoding_lacks_is_refused(option: str) -> None:
    with pytest.raises(InvalidOptions, match=f"(latin-1|iso8859-1) lacks a character of {option}"):
        CsvOptions.parse({"encoding": "latin-1", option: "空"})


def test_a_slice_is_encoded_alone() -> None:
    texts = pa.array(["字", "é", None, "b", "字", "文"])
    rows = python_rows(file_of({"v": texts.slice(2, 3)}, encoding="gbk").decode("gbk"))
    assert rows == [["v"], [""], ["b"], ["字"]]


@pytest.mark.parametrize("name", ["mbcs", "ansi", "oem", "base65", "hexx", "rot-14", "zlib_code"])
def test_no_name_is_proposed_that_would_be_refused(name: str) -> None:
    """Python lists codecs of no file, and of Windows alone, among its encodings."""
    with pytest.raises(ValueError, match=r"^there is no encoding of that name") as raised:
        codec_name(name)
    proposed = str(raised.value).partition("did you mean '")[2].removesuffix("'?")
    assert not proposed or codec_name(proposed)
