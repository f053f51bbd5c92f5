"""What a caller may ask of a workbook besides its rows: one frozen class for each feature.

Columns are named by their header in the file, or by their name in the stream. Whether they exist is
known when the stream is (`layout.py`); everything else is checked here, before it is opened.
"""

import re
from string import Formatter
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from exporters.number_formats import check_format
from exporters.xlsx.sheet_names import utf16_units

MAX_LIST: Final = 255
"""Characters of a list of allowed values, commas included (Excel specifications and limits)."""

MAX_FORMULA: Final = 8_192
"""Characters of a formula (Excel specifications and limits)."""

_CONTROL: Final = re.compile("[\x00-\x09\x0b-\x1f\ufffe\uffff]")
"""What XML attributes cannot hold, or hold as a space; a line feed they can."""

MAX_LINE: Final = 255
"""UTF-16 units of the texts that stand around the rows (Excel specifications and limits)."""


def check_characters(value: str) -> str:
    """`value`. Raises `ValueError` with one sentence for characters that a file cannot hold."""
    if _CONTROL.search(value):
        raise ValueError("use a text without control characters")
    return value


def _line(value: str) -> str:
    if utf16_units(value) > MAX_LINE:
        raise ValueError(f"Excel takes at most {MAX_LINE} characters")
    return check_characters(value)


def _operand(value: str) -> str:
    return _line(value) if value else value


NumberFormat = Annotated[str, AfterValidator(check_format)]
Color = Annotated[str, Field(pattern=r"^#[0-9A-Fa-f]{6}$")]
Line = Annotated[str, Field(min_length=1), AfterValidator(_line)]
FontName = Annotated[str, Field(min_length=1, max_length=31), AfterValidator(check_characters)]


class Feature(BaseModel):
    """A JSON object of options; nothing in it is ever ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class CellStyle(Feature):
    """How cells look; what is left out stays as it is."""

    bold: bool | None = None
    italic: bool | None = None
    underline: bool | None = None
    font: FontName | None = None
    size: Annotated[float, Field(ge=1, le=409)] | None = None
    color: Color | None = None
    background: Color | None = None
    align: Literal["left", "center", "right"] | None = None
    wrap: bool | None = None
    border: Literal["none", "bottom", "all"] | None = None


def _segments(formula: str) -> list[tuple[str, str | None]]:
    """Literals, each with the column named behind it; `{{` and `}}` are braces."""
    found = []
    for literal, column, spec, conversion in Formatter().parse(formula):
        if column == "" or spec or conversion:
            raise ValueError("name a column in braces, as {price}; write braces as {{ and }}")
        found.append((literal, column))
    return found


def _formula(value: str) -> str:
    try:
        _segments(value)
    except ValueError as error:
        reason = str(error)
        raise ValueError(f"{reason}; use a formula such as '={{price}}*{{quantity}}'") from None
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


class ColorScale(Feature):
    """A colour for each number between the least and the greatest."""

    type: Literal["color_scale"]
    column: str
    colors: Annotated[list[Color], Field(min_length=2, max_length=3)] = [
        "#F8696B",
        "#FFEB84",
        "#63BE7B",
    ]


class DataBar(Feature):
    """A bar behind each number."""

    type: Literal["data_bar"]
    column: str
    color: Color = "#638EC6"


class _Rule(Feature):
    column: str
    style: CellStyle


Operand = float | Annotated[str, AfterValidator(_operand)]


class CellRule(_Rule):
    """Cells that compare with a value in some way."""

    type: Literal["cell"]
    criteria: Literal["=", "!=", ">", ">=", "<", "<=", "between", "not between"]
    value: Operand
    maximum: Operand | None = None

    @model_validator(mode="after")
    def _bounds(self) -> Self:
        if ("between" in self.criteria) != (self.maximum is not None):
            raise ValueError("'between' and 'not between' need a maximum, the others take none")
        return self


class TextRule(_Rule):
    """Cells whose text has another in it."""

    type: Literal["text"]
    criteria: Literal["containing", "not containing", "begins with", "ends with"]
    value: Line


class RankRule(_Rule):
    """The greatest or the least numbers, so many of them or so many percent."""

    type: Literal["top", "bottom"]
    count: Annotated[int, Field(ge=1, le=1000)] = 10
    percent: bool = False


class PlainRule(_Rule):
    """Values that stand more than once, values that do not, empty cells."""

    type: Literal["duplicate", "unique", "blank"]


class FormulaRule(_Rule):
    """Cells in whose row a formula is true."""

    type: Literal["formula"]
    formula: FormulaText


ConditionalFormat = Annotated[
    ColorScale | DataBar | CellRule | TextRule | RankRule | PlainRule | FormulaRule,
    Field(discriminator="type"),
]


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
        length = utf16_units(quoted(",".join(self.values)))
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


TotalFunction = Literal["sum", "average", "count", "min", "max"]


def quoted(text: str) -> str:
    """A text for a formula, between quotes: its own are doubled."""
    return text.replace('"', '""')


def formula_segments(formula: str) -> list[tuple[str, str | None]]:
    """The literals of a checked formula, `=` left out, each with the column named behind it."""
    return _segments(formula.removeprefix("="))


def given(feature: Feature) -> dict[str, Any]:
    """What a feature says, without what was left out."""
    return feature.model_dump(exclude_none=True)
