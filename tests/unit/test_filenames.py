import pytest

from flight_server.filenames import MAX_FILENAME_BYTES, check_filename


@pytest.mark.parametrize(
    "name",
    [
        "report.csv",
        "报表 2024 年.xlsx",
        "\u202etest.csv",
        "...",
        ".hidden",
        "-rf",
        'quotes "and" %2F; semicolons.csv',
        "🎉.csv",
        " leading and trailing ",
        "a" * MAX_FILENAME_BYTES,
    ],
)
def test_any_single_segment_is_accepted(name: str) -> None:
    check_filename(name)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "is empty"),
        (".", "names a directory"),
        ("..", "names a directory"),
        ("/etc/passwd", "path separator '/'"),
        ("a/../b", "path separator '/'"),
        ("..\\b", "path separator"),
        ("a\0b", "control character"),
        ("a\r\nSet-Cookie: b", "control character"),
        ("a\x7f", "control character"),
        ("a\x85b", "control character"),
        ("a\ud800b", "not valid Unicode"),
        ("é" * 128, "256 bytes in UTF-8; at most 255"),
    ],
)
def test_a_refusal_says_what_is_wrong(name: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        check_filename(name)
