"""Looks that depend on the values of a column: one frozen class for each kind."""

import re
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from exporters.xlsx.features import CellStyle, Color, Feature, FormulaText, Line

Finite = Annotated[float, Field(allow_inf_nan=False)]


class ColorScale(Feature):
    """A colour for each number between the least and the greatest."""

    type: Literal["color_scale"]
    column: str
    colors: list[Color] = Field(["#F8696B", "#FFEB84", "#63BE7B"], min_length=2, max_length=3)


class DataBar(Feature):
    """A bar behind each number."""

    type: Literal["data_bar"]
    column: str
    color: Color = "#638EC6"


_NO_CONDITION: Final = ("font", "size", "align", "wrap")


def _rule_style(style: CellStyle) -> CellStyle:
    wrong = next((key for key in _NO_CONDITION if getattr(style, key) is not None), None)
    if wrong is not None:
        raise ValueError(
            f"Excel changes no {wrong} by a condition; use bold, italic, underline, color, "
            "background or border"
        )
    return style


class _Rule(Feature):
    column: str
    style: Annotated[CellStyle, AfterValidator(_rule_style)]


class CellRule(_Rule):
    """Cells that compare with a value in some way."""

    type: Literal["cell"]
    criteria: Literal["=", "!=", ">", ">=", "<", "<=", "between", "not between"]
    value: Finite | Line
    maximum: Finite | Line | None = None

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

    @model_validator(mode="after")
    def _hundred(self) -> Self:
        if self.percent and self.count > 100:
            raise ValueError("count is a percentage, at most 100")
        return self


class PlainRule(_Rule):
    """Values that stand more than once, values that do not, empty cells."""

    type: Literal["duplicate", "unique", "blank"]


def _condition(formula: str) -> str:
    if re.search("{{|}}", re.sub('"[^"]*"', "", formula)):
        raise ValueError("Excel takes no array, as {1,2}, in a condition; use OR or AND")
    return formula


class FormulaRule(_Rule):
    """Cells in whose row a formula is true."""

    type: Literal["formula"]
    formula: Annotated[FormulaText, AfterValidator(_condition)]


ConditionalFormat = Annotated[
    ColorScale | DataBar | CellRule | TextRule | RankRule | PlainRule | FormulaRule,
    Field(discriminator="type"),
]
