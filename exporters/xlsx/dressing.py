"""What a sheet has around its rows, told to XlsxWriter feature by feature.

Each function is given a sheet that has its header; ranges reach to the last of the sheet's rows.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from xlsxwriter.utility import xl_col_to_name

from exporters.xlsx.features import (
    CellRule,
    ColorScale,
    ConditionalFormat,
    DataBar,
    FormulaRule,
    RankRule,
    TextRule,
    quoted,
)
from exporters.xlsx.layout import Layout, Segments
from exporters.xlsx.looks import Looks

TOTALS: Final[Mapping[str, tuple[str, int]]] = {
    "sum": ("sum", 109),
    "average": ("average", 101),
    "count": ("count", 103),
    "min": ("min", 105),
    "max": ("max", 104),
}
"""The name of a total in a table, and the number of its function in SUBTOTAL, which leaves out
rows that a filter hides."""

Values = Sequence[float | None]
"""The totals of a sheet by place; None where they are not known."""


def add_table(
    sheet: Any, layout: Layout, looks: Looks, rows: int, totals: Values, number: int
) -> None:
    """Make header and rows an Excel table, the workbook's `number`th, with its row of totals.

    The formats of its columns are what Excel gives to rows that are added.
    """
    columns = [
        {
            "header": name,
            "header_format": looks.header(place),
            "format": looks.cell(place),
            **_table_total(layout, place),
        }
        for place, name in enumerate(layout.headers)
    ]
    options = {
        "name": f"Table{number}",
        "columns": columns,
        "style": f"Table Style {str(layout.options.table_style).title()}",
        "autofilter": layout.options.autofilter,
        "total_row": bool(layout.totals),
    }
    top, bottom = layout.options.start_row - 1, layout.last_row(rows) - 1
    sheet.add_table(top, 0, bottom + bool(layout.totals), len(layout.headers) - 1, options)
    if layout.totals:
        names = [f"Table{number}[{_escaped(name)}]" for name in layout.headers]
        _write_totals(sheet, layout, looks, bottom + 1, names, totals)


def _table_total(layout: Layout, place: int) -> dict[str, Any]:
    if place in layout.totals:
        return {"total_function": TOTALS[layout.totals[place]][0]}
    return {"total_string": layout.options.totals_label} if place == _label_place(layout) else {}


def _escaped(header: str) -> str:
    """A header in a reference to a table's column (ECMA-376 part 1, 18.17.6.2)."""
    return re.sub(r"(['#\[\]])", r"'\1", header)


def add_totals(sheet: Any, layout: Layout, looks: Looks, rows: int, totals: Values) -> None:
    """A row of totals below the last; `add_table` has its own."""
    areas = [_column_range(layout, place, rows) for place in range(len(layout.headers))]
    _write_totals(sheet, layout, looks, layout.last_row(rows), areas, totals)


def _write_totals(
    sheet: Any, layout: Layout, looks: Looks, row: int, areas: Sequence[str], totals: Values
) -> None:
    """The cells of a row of totals, each of one of `areas`.

    XlsxWriter's own in a table name the column without its table, which LibreOffice cannot read.
    """
    for place, area in enumerate(areas):
        if place in layout.totals:
            number = TOTALS[layout.totals[place]][1]
            formula = f"=SUBTOTAL({number},{area})"
            sheet.write_formula(row, place, formula, looks.total(place), _shown(totals, place))
        elif place == _label_place(layout):
            sheet.write_string(row, place, layout.options.totals_label, looks.total(place))
        else:
            sheet.write_blank(row, place, None, looks.total(place))


def _label_place(layout: Layout) -> int | None:
    """The first column without a total, if there is one."""
    free = (place for place in range(len(layout.headers)) if place not in layout.totals)
    return next(free, None) if layout.totals else None


def _shown(totals: Values, place: int) -> float | str:
    """A total's value; an empty one lets every reader calculate it."""
    value = totals[place] if place < len(totals) else None
    return "" if value is None else value


def _column_range(layout: Layout, place: int, rows: int) -> str:
    letters = xl_col_to_name(place)
    return f"{letters}{layout.first_row}:{letters}{layout.last_row(rows)}"


def add_conditional_formats(sheet: Any, layout: Layout, looks: Looks, rows: int) -> None:
    """Colour scales, data bars and rules, each over the rows of its column."""
    for each in layout.options.conditional_formats:
        place = layout.place("conditional_formats", each.column)
        area = _column_range(layout, place, rows)
        sheet.conditional_format(area, _conditional(each, layout, looks))


def _conditional(each: ConditionalFormat, layout: Layout, looks: Looks) -> dict[str, Any]:
    """A conditional format in XlsxWriter's terms."""
    match each:
        case ColorScale():
            return _color_scale(each.colors)
        case DataBar():
            return {"type": "data_bar", "bar_color": each.color, "data_bar_2010": True}
        case CellRule():
            rule = _cell_rule(each)
        case TextRule():
            rule = {"type": "text", "criteria": each.criteria, "value": each.value}
        case RankRule():
            rule = {"type": each.type, "value": each.count}
            rule |= {"criteria": "%"} if each.percent else {}
        case FormulaRule():
            segments = layout.segments_of("conditional_formats", each.formula)
            rule = {"type": "formula", "criteria": row_formula(segments, layout.first_row)}
        case _:
            rule = {"type": {"blank": "blanks"}.get(each.type, each.type)}
    return rule | {"format": looks.rule(each.style)}


def _color_scale(colors: Sequence[str]) -> dict[str, Any]:
    names = ("min_color", "mid_color", "max_color") if len(colors) == 3 else (
        "min_color",
        "max_color",
    )  # fmt: skip
    return {"type": f"{len(colors)}_color_scale", **dict(zip(names, colors, strict=True))}


def _cell_rule(rule: CellRule) -> dict[str, Any]:
    criteria = {"=": "==", "!=": "!="}.get(rule.criteria, rule.criteria)
    values: dict[str, Any] = {"value": _operand(rule.value)}
    if rule.maximum is not None:
        values = {"minimum": _operand(rule.value), "maximum": _operand(rule.maximum)}
    return {"type": "cell", "criteria": criteria, **values}


def _operand(value: float | str) -> float | str:
    """A number as it is, a text in quotes."""
    return f'"{quoted(value)}"' if isinstance(value, str) else value


def row_formula(segments: Segments, row: int | str) -> str:
    """A formula for one row, whose columns stay where they are when it is moved."""
    parts = (
        literal + ("" if place is None else f"${xl_col_to_name(place)}{row}")
        for literal, place in segments
    )
    return "=" + "".join(parts)


def add_validations(sheet: Any, layout: Layout, rows: int) -> None:
    """Lists of values from which whoever edits a cell chooses."""
    for each in layout.options.validations:
        place = layout.place("validations", each.column)
        rule: dict[str, Any] = {"validate": "list", "source": list(map(quoted, each.values))}
        if each.error is not None:
            rule["error_message"] = each.error
        sheet.data_validation(_column_range(layout, place, rows), rule)


def set_up_pages(sheet: Any, layout: Layout) -> None:
    """How the sheet is printed."""
    options = layout.options
    if options.landscape:
        sheet.set_landscape()
    if options.fit_to_width:
        sheet.fit_to_pages(1, 0)
    if options.repeat_header:
        sheet.repeat_rows(options.start_row - 1)


_ALLOWED: Final = {
    "autofilter": True,
    "sort": True,
    "format_columns": True,
    "format_rows": True,
}
"""What readers of a locked sheet still do."""


def protect(sheet: Any, layout: Layout) -> None:
    """Lock the sheet's cells, without a password: against slips, not against people."""
    if layout.options.protection == "locked":
        sheet.protect("", _ALLOWED)
