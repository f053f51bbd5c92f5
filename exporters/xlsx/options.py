"""The options of `xlsx`."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from exporters.options import EVERYONE, FormatOptions, Styles
from exporters.xlsx.conditions import ConditionalFormat
from exporters.xlsx.features import (
    CellStyle,
    FormulaColumn,
    Line,
    NumberFormat,
    Properties,
    TotalFunction,
    Validation,
)
from exporters.xlsx.sheet_names import check_sheet_name
from exporters.xlsx.styles import STYLES
from exporters.zones import known_zone

SHEET_ROWS: Final = 1_048_576
"""Rows of an Excel sheet, header included."""

ROW_BELOW_TITLE: Final = 3
"""Where the header stands below a title, an empty row between them."""

SheetName = Annotated[str, AfterValidator(check_sheet_name)]


_TABLE_STYLES: Final = {"light": 21, "medium": 28, "dark": 11}


def _table_style(value: str) -> str:
    known = {
        f"{name} {number + 1}" for name, most in _TABLE_STYLES.items() for number in range(most)
    }
    if value not in known:
        raise ValueError("use 'light 1' to '21', 'medium 1' to '28' or 'dark 1' to '11'")
    return value


class XlsxOptions(FormatOptions):
    """Options of `xlsx`; columns are named by their header, or by their name in the stream."""

    format_name = "xlsx"
    styles: ClassVar[Styles] = STYLES
    not_in_styles: ClassVar[frozenset[str]] = frozenset(
        {
            "conditional_formats",
            "formulas",
            "hidden_columns",
            "sheet_names",
            "split_by",
            "style",
            "totals",
            "urls",
            "validations",
        }
    )

    style: str = Field(
        EVERYONE, description="a set of options by its name; options beside it go before its own"
    )
    sheet_name: SheetName = Field(
        "Sheet1", description="the first sheet's name; later ones add ' (2)', ' (3)'"
    )
    split_by: str | None = Field(
        None, description="a column, each value of which gets a sheet; its rows must be together"
    )
    sheet_names: dict[str, SheetName] = Field(
        {}, description="names for the sheets of 'split_by': value to name; default: the value"
    )
    rows_per_sheet: int = Field(
        SHEET_ROWS - 1, ge=1, le=SHEET_ROWS - 1, description="rows before the next sheet begins"
    )
    start_row: int = Field(
        1, ge=1, le=1000, description="the row of the header; rows before it stay empty"
    )
    title: Line | None = Field(
        None, description="a line above the header, which then stands in row 3 or 'start_row'"
    )
    title_style: CellStyle = Field(CellStyle(), description="how the title looks")
    header_style: CellStyle = Field(CellStyle(), description="how the header looks")
    freeze_header: bool = Field(True, description="whether the header stays in view")
    freeze_columns: int = Field(
        0, ge=0, le=1000, description="how many columns on the left stay in view"
    )
    autofilter: bool = Field(False, description="whether the header has filter buttons")
    table_style: Annotated[str, AfterValidator(_table_style)] | None = Field(
        None,
        description="makes the rows an Excel table: 'light 1' to '21', 'medium 1' to '28', "
        "'dark 1' to '11'",
    )
    column_widths: Literal["auto", "none"] = Field(
        "auto", description="'auto' estimates widths from the first rows"
    )
    hidden_columns: list[str] = Field([], description="columns that are there but not shown")
    date_format: NumberFormat = Field(
        "yyyy-mm-dd", description="Excel number format of dates, or the name of one"
    )
    datetime_format: NumberFormat = Field(
        "yyyy-mm-dd hh:mm:ss", description="Excel number format of timestamps, or the name of one"
    )
    timezone: Annotated[str, AfterValidator(known_zone)] | None = Field(
        None, description="where zoned timestamps are shown; default: their own zone"
    )
    long_numbers: Literal["text", "number"] = Field(
        "text", description="numbers over 15 digits, which Excel would round"
    )
    formulas: list[FormulaColumn] = Field(
        [], description="columns behind the stream's that Excel calculates, columns in braces"
    )
    totals: dict[str, TotalFunction] = Field(
        {}, description="a row below the others: column to sum, average, count, min or max"
    )
    totals_label: Line = Field("Total", description="what begins that row")
    urls: list[str] = Field([], description="columns whose addresses are links")
    conditional_formats: list[ConditionalFormat] = Field(
        [], description="looks that depend on the values: colour scales, data bars, rules"
    )
    validations: list[Validation] = Field(
        [], description="columns whose cells offer a list of values"
    )
    landscape: bool = Field(False, description="whether pages are printed in landscape")
    fit_to_width: bool = Field(False, description="whether a page is as wide as the columns")
    repeat_header: bool = Field(False, description="whether each printed page has the header")
    properties: Properties = Field(Properties(), description="what the file says of itself")
    protection: Literal["none", "recommended", "locked"] = Field(
        "none",
        description="'recommended': Excel proposes to open it read-only; 'locked': cells cannot be "
        "changed until the sheet's protection, which has no password, is taken off",
    )
    compression: Literal["fast", "balanced", "small"] = Field(
        "fast", description="how hard the file is compressed"
    )

    @model_validator(mode="before")
    @classmethod
    def _room_for_the_title(cls, values: Mapping[str, Any]) -> Mapping[str, Any]:
        if values.get("title") is not None and "start_row" not in values:
            return {**values, "start_row": ROW_BELOW_TITLE}
        return values

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.title is not None and self.start_row == 1:
            raise ValueError("a title needs start_row 2 or more, because it stands in row 1")
        if self.sheet_names and self.split_by is None:
            raise ValueError("sheet_names needs split_by, the column whose values it names")
        _check_distinct(list(self.sheet_names.values()))
        return self


def _check_distinct(names: list[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name.casefold() in seen:
            raise ValueError(f"two sheets are called {name!r}; Excel compares without case")
        seen.add(name.casefold())
