"""What the metadata of the contract ask for, in the words of the service."""

from typing import Any

import pytest

from exporters import CsvOptions, XlsxOptions
from flight_server.errors import ErrorCode, ServiceError
from flight_server.request import ExportRequest
from flight_server.transports import export_pb2 as pb
from flight_server.transports.grpc_request import column_names, empty_is_null, request_of
from tests.support.grpc_client import column, metadata

HOUSE = {"csv": {"plain": {"quoting": "all", "delimiter": ";", "null": "-"}}}


def asked(*columns: pb.ColumnDefinition, styles: Any = None, **fields: Any) -> ExportRequest:
    message = metadata(*columns, request_id="r", **fields)
    return request_of(message.metadata, styles or {})


def refusal(*columns: pb.ColumnDefinition, styles: Any = None, **fields: Any) -> str:
    with pytest.raises(ServiceError) as raised:
        asked(*columns, styles=styles, **fields)
    assert raised.value.code is ErrorCode.INVALID_DESCRIPTOR
    return raised.value.message


def csv_options(request: ExportRequest) -> CsvOptions:
    assert isinstance(request.options, CsvOptions)
    return request.options


def xlsx_options(request: ExportRequest) -> XlsxOptions:
    assert isinstance(request.options, XlsxOptions)
    return request.options


class TestDefaults:
    def test_csv_is_quoted_where_needed_as_the_original_did(self) -> None:
        options = csv_options(asked())
        assert options == CsvOptions(quoting="minimal")
        assert (options.delimiter, options.encoding, options.compression) == (",", "utf-8", "none")

    def test_the_house_goes_before_the_doors_defaults_and_the_caller_before_the_house(
        self,
    ) -> None:
        options = csv_options(asked(styles=HOUSE, csv_delimiter="|"))
        assert (options.quoting, options.delimiter, options.null) == ("all", "|", "-")

    def test_a_house_without_a_word_on_quotes_keeps_the_doors(self) -> None:
        styles = {"csv": {"plain": {"delimiter": ";"}}}
        options = csv_options(asked(styles=styles))
        assert (options.quoting, options.delimiter) == ("minimal", ";")

    def test_the_house_style_of_workbooks_is_everyones(self) -> None:
        styles = {"xlsx": {"plain": {"autofilter": True, "sheet_name": "House"}}}
        options = xlsx_options(asked(styles=styles, kind=pb.FORMAT_EXCEL))
        assert (options.autofilter, options.sheet_name) == (True, "House")

    def test_a_workbook_is_excels_own(self) -> None:
        options = xlsx_options(asked(kind=pb.FORMAT_EXCEL))
        assert (options.sheet_name, options.start_row) == ("Sheet1", 1)
        assert options.compression == XlsxOptions().compression


class TestCompression:
    @pytest.mark.parametrize(
        ("filename", "enabled", "compression", "stored"),
        [
            ("a.csv", False, "none", "a.csv"),
            ("a.csv", True, "gzip", "a.csv.gz"),
            ("a.csv.gz", True, "gzip", "a.csv.gz"),
            ("a.csv.gz", False, "gzip", "a.csv.gz"),
            ("a.csv.zst", False, "zstd", "a.csv.zst"),
        ],
    )
    def test_the_name_says_of_a_csv_what_the_flag_does_not(
        self, filename: str, enabled: bool, compression: str, stored: str
    ) -> None:
        request = asked(filename=filename, compression_enabled=enabled)
        assert (csv_options(request).compression, request.filename) == (compression, stored)

    def test_of_a_workbook_it_is_the_strongest(self) -> None:
        request = asked(kind=pb.FORMAT_EXCEL, filename="a.xlsx", compression_enabled=True)
        assert (xlsx_options(request).compression, request.filename) == ("small", "a.xlsx")

    def test_a_name_that_says_another_one_is_refused(self) -> None:
        said = refusal(filename="a.csv.zip", compression_enabled=True)
        assert said.startswith("metadata.options.compression_enabled: 'gzip' is not allowed")


class TestColumns:
    def test_their_names_in_the_stream_differ_and_their_headers_need_not(self) -> None:
        names = ["a", "a", "a (2)", "a", "a (2)", "b"]
        request = asked(*map(column, names))
        assert [each.header for each in request.columns] == names
        own = column_names(request)
        assert own[0] == "a"
        assert len(set(own)) == len(own)

    def test_ten_thousand_of_one_name_are_told_apart_as_fast_as_others(self) -> None:
        """Each is numbered once: counting up anew for each would take minutes."""
        own = column_names(asked(*[column("a")] * 10_000))
        assert own[-1] == "a (10000)"
        assert len(set(own)) == 10_000

    @pytest.mark.parametrize(
        ("kind", "read"),
        [
            (pb.DATA_TYPE_STRING, None),
            (pb.DATA_TYPE_NUMBER, "number"),
            (pb.DATA_TYPE_DATE, "date"),
            (pb.DATA_TYPE_BOOLEAN, "boolean"),
        ],
    )
    def test_texts_are_read_in_workbooks_only(self, kind: int, read: str | None) -> None:
        given = column("a", kind, width=12, format="0.00")
        [in_csv] = asked(given).columns
        assert (in_csv.type, in_csv.width, in_csv.format) == (None, None, None)
        [in_excel] = asked(given, kind=pb.FORMAT_EXCEL).columns
        assert (in_excel.type, in_excel.width, in_excel.lenient) == (read, 12, True)
        assert in_excel.format == (None if read is None else "0.00")

    @pytest.mark.parametrize("width", [-1, 256, 2**31 - 1])
    def test_a_width_that_excel_has_not_is_refused_for_workbooks_only(self, width: int) -> None:
        given = (column("a"), column("b", width=width))
        assert asked(*given).format == "csv"
        said = refusal(*given, kind=pb.FORMAT_EXCEL)
        assert said.startswith(f"metadata.columns[1].width: {width} is not allowed; from 1 to 255")

    def test_a_format_that_is_too_long_is_refused(self) -> None:
        given = column("a", pb.DATA_TYPE_NUMBER, format="0" * 256)
        said = refusal(given, kind=pb.FORMAT_EXCEL)
        assert said == "metadata.columns[0].format has 256 characters; at most 255"


class TestEmptyTexts:
    def test_they_are_no_values_in_excel_and_in_plain_csv(self) -> None:
        assert empty_is_null(asked(kind=pb.FORMAT_EXCEL))
        assert empty_is_null(asked())

    @pytest.mark.parametrize("style", [{"quoting": "all"}, {"quoting": "strings"}, {"null": "-"}])
    def test_they_are_texts_where_null_looks_different(self, style: dict[str, str]) -> None:
        assert not empty_is_null(asked(styles={"csv": {"plain": style}}))


class TestRefusals:
    @pytest.mark.parametrize(
        ("fields", "field"),
        [
            ({"csv_delimiter": "ab"}, "metadata.options.csv_delimiter"),
            ({"csv_delimiter": "1"}, "metadata.options.csv_delimiter"),
            ({"csv_encoding": "klingon"}, "metadata.options.csv_encoding"),
            ({"csv_encoding": "base64"}, "metadata.options.csv_encoding"),
            (
                {"kind": pb.FORMAT_EXCEL, "excel_start_row": -4},
                "metadata.options.excel_start_row",
            ),
            (
                {"kind": pb.FORMAT_EXCEL, "excel_start_row": 1001},
                "metadata.options.excel_start_row",
            ),
            (
                {"kind": pb.FORMAT_EXCEL, "excel_sheet_name": "x" * 32},
                "metadata.options.excel_sheet_name",
            ),
        ],
    )
    def test_an_option_has_the_contracts_name(self, fields: dict[str, Any], field: str) -> None:
        assert refusal(**fields).startswith(f"{field}: ")

    def test_options_that_contradict_the_house_are_said_to_be_the_metadatas(self) -> None:
        styles = {"csv": {"plain": {"null": "a;b"}}}
        said = refusal(styles=styles, csv_delimiter=";")
        assert said.startswith("metadata.options")
        assert "null" in said

    @pytest.mark.parametrize("filename", ["a/b.csv", "..", "a\x00.csv", "x" * 256])
    def test_a_filename_is_held_to_what_every_door_holds_it_to(self, filename: str) -> None:
        assert refusal(filename=filename).startswith("metadata.filename: the filename ")

    def test_the_options_of_the_other_format_are_not_looked_at(self) -> None:
        """proto3 has one message for both formats, which clients fill in as they like."""
        assert asked(excel_sheet_name="a/b", excel_start_row=-1).format == "csv"
        assert asked(kind=pb.FORMAT_EXCEL, csv_delimiter="ab").format == "xlsx"


class TestFingerprint:
    def test_it_is_that_of_an_equal_request(self) -> None:
        assert asked().fingerprint == asked().fingerprint

    @pytest.mark.parametrize(
        "fields",
        [
            {"filename": "other.csv"},
            {"csv_delimiter": ";"},
            {"csv_encoding": "gbk"},
            {"compression_enabled": True},
            {"kind": pb.FORMAT_EXCEL},
            {"styles": HOUSE},
        ],
        ids=str,
    )
    def test_what_makes_another_file_makes_another_one(self, fields: dict[str, Any]) -> None:
        assert asked(**fields).fingerprint != asked().fingerprint

    @pytest.mark.parametrize(
        "other",
        [column("b"), column("a", pb.DATA_TYPE_NUMBER), column("a", width=9)],
        ids=["name", "type", "width"],
    )
    def test_columns_of_a_workbook_are_part_of_it(self, other: pb.ColumnDefinition) -> None:
        one, two = (asked(each, kind=pb.FORMAT_EXCEL) for each in (column("a"), other))
        assert one.fingerprint != two.fingerprint

    def test_the_request_id_is_not(self) -> None:
        one = request_of(metadata(request_id="one").metadata, {})
        two = request_of(metadata(request_id="two").metadata, {})
        assert one.fingerprint == two.fingerprint
