"""What may be asked of a workbook, each feature alone, and the plain workbook it is compared with.

A feature that adds cells is compared with a workbook that has as many cells without it: formulas
with one more column of numbers, links and the values that split sheets with the same column as
plain texts.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl
import pyarrow as pa

from benchmarks.cases import OUR_PACKAGE, Case
from benchmarks.data import SCHEMA, batches, record_batch

_MAIN: Final = tuple(SCHEMA.names)


def _case(name: str, title: str) -> Case:
    return Case(name, "xlsx", title, OUR_PACKAGE)


PLAIN: Final = _case("plain", "plain")
PLAIN_NUMBER: Final = _case("plain-number", "plain, one more column of numbers")
PLAIN_LINK: Final = _case("plain-link", "plain, the addresses as texts")
PLAIN_REGION: Final = _case("plain-region", "plain, one sheet with the same column")


@dataclass(frozen=True)
class Feature:
    """Options of one workbook and the columns it has of the table of `feature_batches`."""

    case: Case
    options: Mapping[str, Any] = field(default_factory=dict)
    formats: Mapping[str, str] = field(default_factory=dict)
    """Number formats by column."""
    columns: tuple[str, ...] = _MAIN
    plain: Case = PLAIN
    """What it is compared with."""
    judged: bool = True
    """Whether its cost has a target: who asks for a smaller file is told that it takes longer."""


_PLAINS: Final = tuple(
    Feature(case, columns=(*_MAIN, *more), plain=case)
    for case, more in (
        (PLAIN, ()),
        (PLAIN_NUMBER, ("tax",)),
        (PLAIN_LINK, ("page",)),
        (PLAIN_REGION, ("region",)),
    )
)

_BAND: Final = {"bold": True, "color": "#FFFFFF", "background": "#1F4E78", "border": "all"}
_ALARM: Final = {"bold": True, "color": "#9C0006", "background": "#FFC7CE"}

FEATURES: Final = (
    Feature(_case("header-style", "header style"), {"header_style": {**_BAND, "align": "center"}}),
    Feature(
        _case("column-formats", "formats of five columns"),
        formats={
            "amount": "currency",
            "rate": "percent",
            "quantity": "integer",
            "created": "datetime",
            "day": "date",
        },
    ),
    Feature(
        _case("table", "table style, filter buttons"),
        {"table_style": "medium 2", "autofilter": True},
    ),
    Feature(
        _case("totals", "totals of four columns"),
        {"totals": {"order_no": "count", "amount": "sum", "rate": "average", "quantity": "sum"}},
    ),
    Feature(
        _case("conditional", "colour scale, data bar, cell rule"),
        {
            "conditional_formats": [
                {"type": "color_scale", "column": "amount"},
                {"type": "data_bar", "column": "rate"},
                {
                    "type": "cell",
                    "column": "quantity",
                    "criteria": "<",
                    "value": 10,
                    "style": _ALARM,
                },
            ]
        },
    ),
    Feature(
        _case("validations", "a list of values"),
        {"validations": [{"column": "quantity", "values": ["0", "10", "100"], "error": "No"}]},
    ),
    Feature(
        _case("hidden", "hidden columns, frozen columns"),
        {"hidden_columns": ["email", "rate"], "freeze_columns": 2},
    ),
    Feature(_case("title", "title"), {"title": "Orders", "title_style": {"size": 20}}),
    Feature(_case("sheets", "100,000 rows a sheet"), {"rows_per_sheet": 100_000}),
    Feature(
        _case("pages", "print set-up, properties, protection"),
        {
            "landscape": True,
            "fit_to_width": True,
            "repeat_header": True,
            "properties": {"title": "Orders", "author": "Export Middleware"},
            "protection": "locked",
        },
    ),
    Feature(
        _case("formulas", "a column of formulas"),
        {"formulas": [{"header": "total", "formula": "={amount}*{quantity}"}]},
        plain=PLAIN_NUMBER,
    ),
    Feature(
        _case("urls", "a column of links"),
        {"urls": ["page"]},
        columns=(*_MAIN, "page"),
        plain=PLAIN_LINK,
    ),
    Feature(
        _case("split", "a sheet for each of ten values"),
        {"split_by": "region"},
        columns=(*_MAIN, "region"),
        plain=PLAIN_REGION,
    ),
    Feature(_case("balanced", "compression `balanced`"), {"compression": "balanced"}, judged=False),
    Feature(_case("small", "compression `small`"), {"compression": "small"}, judged=False),
)

_PLAIN_EVERY: Final = 4
"""Features between two runs of the plain workbook, which everything hangs on."""


def workbooks() -> dict[str, Feature]:
    """Every feature and every plain workbook by the name of its case."""
    return {each.case.name: each for each in (*_PLAINS, *FEATURES)}


def one_round() -> Iterator[Case]:
    """The cases of one round; a plain workbook comes again and again, near what it is for."""
    for plain in (each.case for each in _PLAINS):
        features = [each.case for each in FEATURES if each.plain == plain]
        for start in range(0, len(features), _PLAIN_EVERY):
            yield plain
            yield from features[start : start + _PLAIN_EVERY]
        yield plain


_MORE: Final = pa.schema({"tax": pa.float64(), "page": pa.string(), "region": pa.string()})


def feature_batches(rows: int) -> Iterator[pa.RecordBatch]:
    """The main table with a number, an address, and one of ten regions, which stand together."""
    schema = pa.unify_schemas([SCHEMA, _MORE])
    for batch in batches(rows):
        frame = pl.DataFrame(pl.from_arrow(batch)).with_columns(
            tax=pl.col("amount") * 0.19,
            page=pl.format("https://example.com/orders/{}?from=mail", pl.col("order_no")),
            region=pl.format("Region {}", pl.col("id") * 10 // rows),
        )
        yield record_batch(frame, schema)
