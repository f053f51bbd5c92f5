"""Options of workbooks by the name of what they show, each with what XlsxWriter makes of them.

A case writes the table of `references.py` and tells XlsxWriter its feature in its own terms.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.support.packages import Package
from tests.support.references import (
    DAY,
    HEADER,
    LAST,
    LOOKS,
    NAMES,
    RIGHT,
    ROWS,
    TOTAL,
    Look,
    Reference,
)
from tests.support.rules import RULES, WRITTEN, Rule

Case = tuple[Mapping[str, Any], Callable[[], Package]]
CASES: dict[str, Case] = {}


def case(name: str, **options: Any) -> Callable[[Callable[[], Reference]], None]:
    """Registers what XlsxWriter is told for a table with `options`."""

    def register(write: Callable[[], Reference]) -> None:
        CASES[name] = options, lambda: write().package()

    return register


def simple(
    name: str, tell: Callable[[Any], object], *, buttons: bool = False, **options: Any
) -> None:
    """Registers a case in which the sheet is told one thing more."""

    def write() -> Package:
        reference = Reference()
        sheet = reference.begin()
        reference.header(buttons=buttons)
        sheet.freeze_panes(1, 0)
        reference.rows()
        tell(sheet)
        return reference.package()

    CASES[name] = options, write


simple("plain", lambda sheet: None)
simple("filter", lambda sheet: sheet.autofilter(0, 0, ROWS, LAST), buttons=True, autofilter=True)
simple("frozen columns", lambda sheet: sheet.freeze_panes(1, 2), freeze_columns=2)
simple(
    "only columns frozen",
    lambda sheet: sheet.freeze_panes(0, 1),
    freeze_header=False,
    freeze_columns=1,
)
simple(
    "hidden columns",
    lambda sheet: [sheet.set_column(at, at, None, None, {"hidden": True}) for at in (1, 2, 9)],
    hidden_columns=["region", "qty", "price"],
)
simple("landscape", lambda sheet: sheet.set_landscape(), landscape=True)
simple("as wide as the page", lambda sheet: sheet.fit_to_pages(1, 0), fit_to_width=True)
simple("header on each page", lambda sheet: sheet.repeat_rows(0), repeat_header=True)
VALUES = ["paid", 'say "open"', "=x", "漢字 & <b>"]
simple(
    "lists of values",
    lambda sheet: [
        sheet.data_validation(
            "J2:J7",
            {
                "validate": "list",
                "source": ["paid", 'say ""open""', "=x", "漢字 & <b>"],
                "error_message": 'not "so" & <b>',
            },
        ),
        sheet.data_validation("A2:A7", {"validate": "list", "source": ["x"]}),
    ],
    validations=[
        {"column": "region", "values": VALUES, "error": 'not "so" & <b>'},
        {"column": "name", "values": ["x"]},
    ],
)


@case("named sheet", sheet_name="订单 & 'x' 100%", autofilter=True, repeat_header=True)
def _named() -> Reference:
    reference = Reference()
    sheet = reference.begin("订单 & 'x' 100%")
    reference.header(buttons=True)
    reference.rows()
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, ROWS, LAST)
    sheet.repeat_rows(0)
    return reference


@case(
    "styled header",
    header_style={
        "bold": False,
        "italic": True,
        "underline": True,
        "font": "Arial & Co",
        "size": 12.5,
        "color": "#FFFFFF",
        "background": "#1F4E78",
        "align": "center",
        "wrap": True,
        "border": "all",
    },
)
def _styled() -> Reference:
    reference = Reference()
    sheet = reference.begin()
    style = {"font_name": "Arial & Co", "font_size": 12.5, "font_color": "#FFFFFF"}
    style |= {"bg_color": "#1F4E78", "align": "center", "text_wrap": True, "border": 1}
    style |= {"bold": False, "italic": True, "underline": True}
    for place, name in enumerate(NAMES):
        sheet.write_string(0, place, name, reference.look(**(HEADER | style)))
    sheet.freeze_panes(1, 0)
    reference.rows()
    return reference


@case("title", title=" A & <b> ", title_style={"size": 20.0, "border": "bottom"}, start_row=4)
def _titled() -> Reference:
    reference = Reference()
    title = reference.look(bold=True, font_size=20.0, bottom=1)
    reference.begin().write_string(0, 0, " A & <b> ", title)
    reference.header(3)
    reference.rows(3)
    reference.sheet.freeze_panes(4, 0)
    return reference


FORMATS = {"qty": "#,##0.00", "price": "currency", "day": "date", "at": 'dd"T"hh', "name": "@"}


@case("formats of columns and types", date_format="dd/mm/yy", datetime_format="datetime")
def _formatted() -> Reference:
    reference = Reference()
    looks = {"qty": "#,##0.00", "price": 7, "day": 14, "at": 'dd"T"hh', "name": "@"}
    asked = {name: {"num_format": code} for name, code in looks.items()}
    reference.table(looks={**LOOKS, **asked})
    return reference


WIDTHS = {"name": 20.0, "day": 12.5}


@case("widths")
def _wide() -> Reference:
    reference = Reference()
    sheet = reference.table()
    sheet.set_column(0, 0, 20)
    sheet.set_column(4, 4, 12.5)
    return reference


@case("properties", properties={"title": 'T & <x> "y"', "author": "漢", "comments": "a\nb"})
def _described() -> Reference:
    reference = Reference()
    reference.properties(title='T & <x> "y"', author="漢", comments="a\nb")
    reference.table()
    return reference


@case("to be read only", protection="recommended")
def _recommended() -> Reference:
    reference = Reference()
    reference.book.read_only_recommended()
    reference.table()
    return reference


@case("locked", protection="locked")
def _locked() -> Reference:
    reference = Reference()
    reference.book.read_only_recommended()
    allowed = ("autofilter", "sort", "format_columns", "format_rows")
    reference.table().protect("", dict.fromkeys(allowed, True))
    return reference


@case("only columns frozen", freeze_header=False, freeze_columns=1)
def _only_columns_frozen() -> Reference:
    reference = Reference()
    reference.table().freeze_panes(0, 1)
    return reference


@case("nothing frozen", freeze_header=False)
def _unfrozen() -> Reference:
    reference = Reference()
    reference.begin()
    reference.header()
    reference.rows()
    return reference


@case("links", urls=["link"])
def _linked() -> Reference:
    reference = Reference()
    reference.table(links=True)
    return reference


FORMULAS = [
    {"header": "value", "formula": "={qty}*{price}", "format": "0.00", "width": 9.0},
    {"header": "big", "formula": '=IF({qty}>1,"a & <b>",CONCAT({name},"x"))'},
]


@case("formulas", formulas=FORMULAS)
def _calculated() -> Reference:
    reference = Reference()

    def write(row: int) -> None:
        excel = row + 1
        look = reference.look(num_format="0.00")
        reference.sheet.write_formula(row, LAST + 1, f"=B{excel}*C{excel}", look, "")
        big = f'=IF(B{excel}>1,"a & <b>",CONCAT(A{excel},"x"))'
        reference.sheet.write_formula(row, LAST + 2, big, None, "")

    sheet = reference.begin()
    reference.header()
    for name, place, look in (("value", LAST + 1, RIGHT), ("big", LAST + 2, {})):
        sheet.write_string(0, place, name, reference.look(**(HEADER | look)))
    sheet.set_column(LAST + 1, LAST + 1, 9)
    sheet.freeze_panes(1, 0)
    reference.rows(more=write)
    return reference


TOTALS = {"qty": "sum", "price": "average", "day": "max", "at": "count", "span": "min"}
Subtotal = tuple[str, int, int, float | str, Look]
"""A function's name and number, the column's place, the value, how it is shown."""

SUBTOTALS: Sequence[Subtotal] = [
    ("sum", 109, 1, 1e15 + 5, {}),
    ("average", 101, 2, 2e299, {}),
    ("max", 104, 4, 45351.0, DAY),
    ("count", 103, 5, 5, {}),
    ("min", 105, 7, 0.0, LOOKS["span"]),
]


def _total_row(
    reference: Reference,
    area: Callable[[int], str],
    totals: Sequence[Subtotal] = SUBTOTALS,
    rows: int = ROWS,
) -> None:
    row, sheet = rows + 1, reference.sheet
    of_place = {total[2]: total for total in totals}
    for place, name in enumerate(NAMES):
        look = LOOKS.get(name, {}) | TOTAL
        if place == 0:
            sheet.write_string(row, 0, "合计", reference.look(**look))
        elif place in of_place:
            _name, number, _place, value, shown = of_place[place]
            formula = f"=SUBTOTAL({number},{area(place)})"
            sheet.write_formula(row, place, formula, reference.look(**(shown | TOTAL)), value)
        else:
            sheet.write_blank(row, place, None, reference.look(**look))


@case("totals", totals=TOTALS, totals_label="合计")
def _totalled() -> Reference:
    reference = Reference()
    reference.table()
    letters = "ABCDEFGHIJ"
    _total_row(reference, lambda place: f"{letters[place]}2:{letters[place]}{ROWS + 1}")
    return reference


def _tabular(
    reference: Reference,
    style: str,
    *,
    name: str = "Sheet1",
    rows: range = range(ROWS),
    buttons: bool = False,
    totals: Mapping[int, str] | None = None,
) -> None:
    """XlsxWriter has no tables in constant memory: its strings are shared ones."""
    sheet = reference.begin(name)
    columns: list[dict[str, Any]] = [
        {"header": each, "format": reference.look(**LOOKS.get(each, {}))} for each in NAMES
    ]
    if totals:
        columns[0]["total_string"] = "合计"
    for place, function in (totals or {}).items():
        columns[place]["total_function"] = function
    options = {"columns": columns, "style": style, "autofilter": buttons, "total_row": bool(totals)}
    sheet.add_table(0, 0, max(len(rows), 1) + bool(totals), LAST, options)
    reference.header(buttons=buttons)
    sheet.freeze_panes(1, 0)
    reference.rows(rows=rows)


@case("table", table_style="medium 2")
def _table() -> Reference:
    reference = Reference(constant_memory=False)
    _tabular(reference, "Table Style Medium 2")
    return reference


@case(
    "table with totals",
    table_style="light 21",
    autofilter=True,
    totals=TOTALS,
    totals_label="合计",
)
def _table_with_totals() -> Reference:
    reference = Reference(constant_memory=False)
    functions = {place: function for function, _, place, _, _ in SUBTOTALS}
    _tabular(reference, "Table Style Light 21", buttons=True, totals=functions)
    _total_row(reference, lambda place: f"Table1[{NAMES[place]}]")
    return reference


def _add_rules(reference: Reference, rules: Sequence[tuple[Rule, Rule]], last: int = 7) -> None:
    for ours, theirs in rules:
        letter = "ABCDEFGHIJ"[NAMES.index(ours["column"])]
        format_ = {"format": reference.look(**WRITTEN)} if "style" in ours else {}
        reference.sheet.conditional_format(f"{letter}2:{letter}{last}", {**theirs, **format_})


def _ruled(rules: Sequence[tuple[Rule, Rule]]) -> Reference:
    reference = Reference()
    reference.table()
    _add_rules(reference, rules)
    return reference


for number, rule in enumerate(RULES):
    criteria = rule[0].get("criteria", "")
    case(f"rule {number}: {rule[0]['type']} {criteria}".strip(), conditional_formats=[rule[0]])(
        lambda rule=rule: _ruled([rule])
    )
case("all rules", conditional_formats=[ours for ours, _ in RULES])(lambda: _ruled(RULES))


@case("rows on several sheets", rows_per_sheet=4, autofilter=True, repeat_header=True)
def _several() -> Reference:
    reference = Reference()
    for name, rows in (("Sheet1", range(4)), ("Sheet1 (2)", range(4, 6))):
        sheet = reference.begin(name)
        reference.header(buttons=True)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, len(rows), LAST)
        sheet.repeat_rows(0)
        reference.rows(rows=rows)
    return reference


@case("a sheet for each value", split_by="region", sheet_names={"N": "North"}, urls=["link"])
def _split() -> Reference:
    reference = Reference()
    sheets = (("North", range(2)), ("S & E", range(2, 5)), ("(empty)", range(5, 6)))
    for name, rows in sheets:
        reference.begin(name).freeze_panes(1, 0)
        reference.header()
        reference.rows(rows=rows, links=True)
    return reference


@case(
    "all rules for each value",
    split_by="region",
    conditional_formats=[ours for ours, _ in RULES],
)
def _split_rules() -> Reference:
    reference = Reference()
    for name, rows in (("N", range(2)), ("S & E", range(2, 5)), ("(empty)", range(5, 6))):
        reference.begin(name).freeze_panes(1, 0)
        reference.header()
        reference.rows(rows=rows)
        _add_rules(reference, RULES, len(rows) + 1)
    return reference


@case(
    "tables with totals for each value",
    split_by="region",
    table_style="dark 11",
    totals={"qty": "sum"},
    totals_label="合计",
)
def _split_tables() -> Reference:
    reference = Reference(constant_memory=False)
    sheets = (("N", range(2), -1), ("S & E", range(2, 5), 10**15 - 1), ("(empty)", range(5, 6), 7))
    for number, (name, rows, total) in enumerate(sheets, 1):
        _tabular(reference, "Table Style Dark 11", name=name, rows=rows, totals={1: "sum"})
        sums = [("sum", 109, 1, float(total), {})]
        _total_row(reference, lambda _, number=number: f"Table{number}[qty]", sums, len(rows))
    return reference


NOTHING: Sequence[Subtotal] = [("sum", 109, 1, 0.0, {}), ("average", 101, 2, "", {})]
"""The totals of no rows; their ranges have one, as a table must."""


@case("totals without rows", totals={"qty": "sum", "price": "average"}, totals_label="合计")
def _no_rows() -> Reference:
    reference = Reference()
    reference.table(rows=range(0))
    _total_row(reference, lambda place: f"{'ABC'[place]}2:{'ABC'[place]}2", NOTHING, rows=1)
    return reference


@case(
    "table without rows",
    table_style="medium 2",
    totals={"qty": "sum", "price": "average"},
    totals_label="合计",
)
def _empty_table() -> Reference:
    reference = Reference(constant_memory=False)
    functions = {1: "sum", 2: "average"}
    _tabular(reference, "Table Style Medium 2", rows=range(0), totals=functions)
    _total_row(reference, lambda place: f"Table1[{NAMES[place]}]", NOTHING, rows=1)
    return reference


EVERYTHING = {
    "title": "T",
    "autofilter": True,
    "table_style": "medium 2",
    "totals": TOTALS,
    "formulas": FORMULAS,
    "urls": ["link"],
    "conditional_formats": [ours for ours, _ in RULES],
    "validations": [{"column": "region", "values": ["x"]}],
    "hidden_columns": ["time"],
    "split_by": "region",
    "landscape": True,
    "fit_to_width": True,
    "repeat_header": True,
    "properties": {"title": "T"},
    "protection": "locked",
    "freeze_columns": 1,
}
"""All at once, of which the rules of the format are asked but no comparison."""
