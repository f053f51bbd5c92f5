"""What a caller may ask of a workbook besides its rows: one frozen class for each feature.

Columns are named by their header in the file, or by their name in the stream. Whether they exist is
known when the stream is (`layout.py`); everything else is checked here, before it is opened.
"""

import re
from collections.abc import Sequence
from string import Formatter
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from exporters.number_formats import check_format
from exporters.xlsx.sheet_names import units

MAX_LIST: Final = 255
"""Characters of a list of allowed values, commas included (Excel specifications and limits)."""

MAX_FORMULA: Final = 8_192
"""Characters of a formula (Excel specifications and limits)."""

MAX_LINE: Final = 255
"""Characters of a line such as a title or what Excel says to a wrong value."""

UNKEPT: Final = re.compile("[\x00-\x09\x0b-\x1f\ud800-\udfff\ufffe\uffff]|_x[0-9A-Fa-f]{4}_")
"""What an attribute of XML does not keep, and what Excel reads in it as another character."""


def _kept(value: str, *, unkept: re.Pattern[str] = UNKEPT) -> str:
    found = unkept.search(value)
    if found is not None:
        raise ValueError(f"{found[0]!r} cannot be kept in a workbook; leave it out")
    return value


def _line(value: str) -> str:
    if not 1 <= units(value) <= MAX_LINE:
        raise ValueError(f"Excel takes 1 to {MAX_LINE} characters")
    return _kept(value)


def _color(value: str) -> str:
    if not re.fullmatch("#[0-9A-Fa-f]{6}", value):
        raise ValueError("use a colour such as '#1F4E78'")
    return value


NumberFormat = Annotated[str, AfterValidator(check_format)]
Color = Annotated[str, AfterValidator(_color)]
Line = Annotated[str, AfterValidator(_line)]


class Feature(BaseModel):
    """A JSON object of options; nothing in it is ever ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class CellStyle(Feature):
    """How cells look; what is left out stays as it is."""

    bold: bool | None = None
    italic: bool | None = None
    underline: bool | None = None
    font: Annotated[str, Field(min_length=1, max_length=31), AfterValidator(_kept)] | None = None
    size: Annotated[float, Field(ge=1, le=409)] | None = None
    color: Color | None = None
    background: Color | None = None
    align: Literal["left", "center", "right"] | None = None
    wrap: bool | None = None
    border: Literal["none", "bottom", "all"] | None = None


_UNKEPT_IN_FORMULA: Final = re.compile("[\x00-\x08\x0b-\x1f\ue000\ufffe\uffff]")
"""U+E000 stands for the row's number while a formula is written."""


def _segments(formula: str) -> list[tuple[str, str | None]]:
    """Literals, each with the column named behind it; `{{` and `}}` are braces."""
    found = []
    for literal, column, spec, conversion in Formatter().parse(formula):
        if column == "" or spec or conversion:
            raise ValueError("no column's name")
        found.append((literal, column))
    return found


def _formula(value: str) -> str:
    _kept(value, unkept=_UNKEPT_IN_FORMULA)
    try:
        _segments(value)
    except ValueError:
        raise ValueError(
            "use a formula such as '={price}*{quantity}', with single braces around columns only; "
            "write braces as {{ and }}"
        ) from None
    if not value.lstrip("=").strip():
        raise ValueError("use a formula such as '={price}*{quantity}'")
    return value


FormulaText = Annotated[str, Field(min_length=1, max_length=MAX_FORMULA), AfterValidator(_formula)]


class FormulaColumn(Feature):
    """A column behind the stream's that Excel calculates."""

    header: str
    formula: FormulaText
    format: NumberFormat | None = None
    width: Annotated[float, Field(gt=0, le=255)] | None = None


class Validation(Feature):
    """A list of values from which whoever edits a cell chooses."""

    column: str
    values: Annotated[list[Line], Field(min_length=1)]
    error: Line | None = None
    """What Excel says to another value; None for Excel's own words."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if any("," in value for value in self.values):
            raise ValueError("Excel parts the values by commas; use values without one")
        length = units(joined_list(self.values))
        if length > MAX_LIST:
            raise ValueError(f"the values are {length} characters together; Excel takes {MAX_LIST}")
        return self


class Properties(Feature):
    """What the file says of itself."""

    title: Line | None = None
    subject: Line | None = None
    author: Line | None = None
    manager: Line | None = None
    company: Line | None = None
    category: Line | None = None
    keywords: Line | None = None
    comments: Line | None = None


def joined_list(values: Sequence[str]) -> str:
    """A list of values as it stands in a text of a formula, where quotes are doubled."""
    return ",".join(values).replace('"', '""')


TotalFunction = Literal["sum", "average", "count", "min", "max"]


def formula_segments(formula: str) -> list[tuple[str, str | None]]:
    """The literals of a checked formula, `=` left out, each with the column named behind it."""
    return _segments(formula.lstrip("="))


def given(feature: Feature) -> dict[str, Any]:
    """What a feature says, without what was left out."""
    return feature.model_dump(exclude_none=True)
