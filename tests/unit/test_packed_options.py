from typing import Any

import pytest

from exporters import CsvOptions, InvalidOptions, XlsxOptions


def names(filename: str, **options: Any) -> tuple[str, str, str]:
    """The compression, the name of the download and that of its first file within."""
    chosen = CsvOptions.parse(options).for_file(filename)
    return chosen.compression, chosen.stored_name(filename), chosen.inner_name(0)


@pytest.mark.parametrize(
    ("filename", "asked", "compression", "stored"),
    [
        ("orders.csv", None, "none", "orders.csv"),
        ("orders.csv.gz", None, "gzip", "orders.csv.gz"),
        ("orders.csv.zst", None, "zstd", "orders.csv.zst"),
        ("orders.csv.zip", None, "zip", "orders.csv.zip"),
        ("ORDERS.CSV.GZ", None, "gzip", "ORDERS.CSV.GZ"),
        ("orders.gz", None, "gzip", "orders.gz"),
        ("orders.csv", "none", "none", "orders.csv"),
        ("orders.csv", "gzip", "gzip", "orders.csv.gz"),
        ("orders.csv", "zstd", "zstd", "orders.csv.zst"),
        ("orders.csv", "zip", "zip", "orders.csv.zip"),
        ("orders.csv.gz", "gzip", "gzip", "orders.csv.gz"),
        ("orders", "gzip", "gzip", "orders.gz"),
        ("gz", None, "none", "gz"),
        (".gz", None, "none", ".gz"),
    ],
)
def test_a_name_tells_the_compression_and_gets_the_suffix_of_the_one_asked_for(
    filename: str, asked: str | None, compression: str, stored: str
) -> None:
    options = {} if asked is None else {"compression": asked}
    assert names(filename, **options)[:2] == (compression, stored)


@pytest.mark.parametrize(
    ("filename", "inner"),
    [
        ("orders.csv", "orders.csv"),
        ("orders.csv.zip", "orders.csv"),
        ("orders.zip", "orders.csv"),
        ("Orders.CSV.Zip", "Orders.CSV"),
        ("订单 5月.csv", "订单 5月.csv"),
        ("report", "report.csv"),
        ("report.v2.zip", "report.v2.csv"),
    ],
)
def test_a_file_within_a_zip_has_the_name_without_zip_and_the_formats_extension(
    filename: str, inner: str
) -> None:
    assert names(filename, compression="zip")[2] == inner
    numbered = inner[:-4] + "-0001" + inner[-4:]
    assert names(filename, rows_per_file=10)[2] == numbered


def test_a_zip_that_nobody_named_has_a_file_all_the_same() -> None:
    assert CsvOptions(compression="zip").inner_name(0) == "data.csv"


def test_the_names_of_files_sort_as_their_rows_do() -> None:
    options = CsvOptions.parse({"rows_per_file": 1}).for_file("a.csv")
    every = [options.inner_name(number) for number in (0, 8, 9, 98, 99, 998, 999, 9_998)]
    assert every == sorted(every)
    assert (every[0], every[-1]) == ("a-0001.csv", "a-9999.csv")


@pytest.mark.parametrize("filename", ["a.csv.gz", "A.CSV.GZ"])
@pytest.mark.parametrize("asked", ["none", "zstd", "zip"])
def test_an_option_that_contradicts_the_name_is_refused(filename: str, asked: str) -> None:
    message = rf"^options.compression: '{asked}' is not allowed, because .*'{filename}' ends in"
    with pytest.raises(InvalidOptions, match=message):
        names(filename, compression=asked)


def test_several_files_are_a_zip_and_nothing_else() -> None:
    assert CsvOptions.parse({"rows_per_file": 5}).compression == "zip"
    assert CsvOptions.parse({"rows_per_file": 5, "compression": "zip"}).rows_per_file == 5
    for other in ("none", "gzip", "zstd"):
        message = rf"rows_per_file makes several files.*'{other}' has no place.*'zip'"
        with pytest.raises(InvalidOptions, match=message):
            CsvOptions.parse({"rows_per_file": 5, "compression": other})
    message = r"^options.rows_per_file: the files are in a zip, but .*'a.csv.gz' ends in .gz; use"
    with pytest.raises(InvalidOptions, match=message):
        names("a.csv.gz", rows_per_file=5)


@pytest.mark.parametrize("rows", [0, -1, 1.5, "5", True])
def test_a_file_has_a_whole_number_of_rows(rows: object) -> None:
    with pytest.raises(InvalidOptions, match=r"^options.rows_per_file: "):
        CsvOptions.parse({"rows_per_file": rows})


def test_an_unknown_compression_is_answered_with_those_there_are() -> None:
    message = r"options.compression: 'bz2' is not allowed.*'none', 'gzip', 'zstd' or 'zip'"
    with pytest.raises(InvalidOptions, match=message):
        CsvOptions.parse({"compression": "bz2"})


def test_the_media_type_is_that_of_the_compression() -> None:
    types = {
        compression: CsvOptions.parse({"compression": compression}).content_type("text/csv")
        for compression in ("none", "gzip", "zstd", "zip")
    }
    assert types == {
        "none": "text/csv; charset=utf-8",
        "gzip": "application/gzip",
        "zstd": "application/zstd",
        "zip": "application/zip",
    }


def test_what_a_name_tells_is_in_effect_as_if_it_were_asked_for() -> None:
    told = CsvOptions.parse({}).for_file("a.csv.gz")
    assert told == CsvOptions.parse({"compression": "gzip"})
    assert told.effective() == {"compression": "gzip"}


def test_a_workbook_is_compressed_by_itself_whatever_its_name() -> None:
    options = XlsxOptions.parse({"compression": "small"})
    assert options.for_file("a.xlsx.gz") == options
    assert options.stored_name("a.xlsx") == "a.xlsx"
    assert options.content_type("x") == "x"
