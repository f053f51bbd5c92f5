"""Every kind of conditional format: what is asked of a workbook, and what XlsxWriter is told.

Both are of the table in `references.py`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

STYLE = {"bold": True, "italic": True, "underline": True, "color": "#9C0006"}
STYLE |= {"background": "#FFC7CE", "border": "bottom"}
WRITTEN = {"bold": True, "italic": True, "underline": True, "font_color": "#9C0006"}
WRITTEN |= {"bg_color": "#FFC7CE", "bottom": 1}

Rule = Mapping[str, Any]
RULES: Sequence[tuple[Rule, Rule]] = [
    (
        {"type": "color_scale", "column": "qty"},
        {
            "type": "3_color_scale",
            "min_color": "#F8696B",
            "mid_color": "#FFEB84",
            "max_color": "#63BE7B",
        },
    ),
    (
        {"type": "color_scale", "column": "qty", "colors": ["#FFFFFF", "#FF0000"]},
        {"type": "2_color_scale", "min_color": "#FFFFFF", "max_color": "#FF0000"},
    ),
    (
        {"type": "data_bar", "column": "qty"},
        {"type": "data_bar", "bar_color": "#638EC6", "data_bar_2010": True},
    ),
    *(
        (
            {"type": "cell", "column": "price", "criteria": ours, "value": 90, "style": STYLE},
            {"type": "cell", "criteria": theirs, "value": 90.0},
        )
        for ours, theirs in {
            "=": "equal to",
            "!=": "not equal to",
            ">": "greater than",
            ">=": "greater than or equal to",
            "<": "less than",
            "<=": "less than or equal to",
        }.items()
    ),
    *(
        (
            {
                "type": "cell",
                "column": "price",
                "criteria": criteria,
                "value": 1,
                "maximum": 2.5,
                "style": STYLE,
            },
            {"type": "cell", "criteria": criteria, "minimum": 1.0, "maximum": 2.5},
        )
        for criteria in ("between", "not between")
    ),
    (
        {"type": "cell", "column": "name", "criteria": "=", "value": 'a & "b"', "style": STYLE},
        {"type": "cell", "criteria": "==", "value": '"a & ""b"""'},
    ),
    *(
        (
            {"type": "text", "column": "name", "criteria": each, "value": '"&<', "style": STYLE},
            {"type": "text", "criteria": each, "value": '"&<'},
        )
        for each in ("containing", "not containing", "begins with", "ends with")
    ),
    *(
        ({"type": each, "column": "qty", "style": STYLE}, {"type": each, "value": 10})
        for each in ("top", "bottom")
    ),
    (
        {"type": "top", "column": "qty", "count": 3, "percent": True, "style": STYLE},
        {"type": "top", "value": 3, "criteria": "%"},
    ),
    *(
        ({"type": each, "column": "name", "style": STYLE}, {"type": each})
        for each in ("duplicate", "unique")
    ),
    ({"type": "blank", "column": "name", "style": STYLE}, {"type": "blanks"}),
    (
        {"type": "formula", "column": "day", "formula": '={qty}>1&"<{{}}"', "style": STYLE},
        {"type": "formula", "criteria": '=$B2>1&"<{}"'},
    ),
]
