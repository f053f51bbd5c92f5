"""A tiny export in every format before the doors open.

It loads what the libraries load lazily, so that the first caller does not wait for it, and finds an
installation that cannot write a format before anyone relies on it.
"""

import pyarrow as pa

from exporters import Workers, formats, open_exporter
from exporters.base import Data
from exporters.options import FormatStyles


class _Nowhere:
    """A sink that keeps nothing."""

    def write(self, data: Data, /) -> None:
        pass


def warm_up(workers: Workers, styles: FormatStyles) -> None:
    """Export one row in each format to nowhere, in the style of who names none.

    Raises what the format raises.
    """
    batch = pa.record_batch(
        {"text": ["<&>"], "number": [1.5], "time": pa.array([0], pa.timestamp("us"))}
    )
    for name, each in formats().items():
        options = each.options.parse({}, styles.get(name))
        with open_exporter(name, _Nowhere(), batch.schema, (), options, workers) as exporter:
            exporter.write_batch(batch)
