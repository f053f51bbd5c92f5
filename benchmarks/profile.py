"""How far an export to Excel is from the work that it is made of: XML, and compression."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from exporters.xlsx.measures import Measures


@dataclass(frozen=True)
class Profile:
    """Seconds that one table took: the parts on a single thread, and the whole on all of them."""

    rows: int
    cores: int
    formatting: float
    """Of the processor, for the XML alone."""
    deflating: float
    """Of the processor, for its compression alone."""
    wall: float
    """By the clock, for the whole export."""
    cpu: float
    """Of the processor, for the whole export."""

    @property
    def bound(self) -> float:
        """What the parts take when they are spread over all cores and nothing else is done."""
        return (self.formatting + self.deflating) / self.cores

    @property
    def distance(self) -> float:
        """How many times the bound an export takes."""
        return self.wall / self.bound


def format_and_deflate(table: pa.Table) -> tuple[float, float]:
    """Processor seconds of formatting and of compressing, block by block as exports do."""
    # Imported here, as in `ours.py`: exporters set polars up, which peers must not find set up.
    from exporters.columns import Projection
    from exporters.xlsx.deflate import deflate
    from exporters.xlsx.layout import Layout
    from exporters.xlsx.measures import Measures
    from exporters.xlsx.options import XlsxOptions
    from exporters.xlsx.rows import RowWriter
    from exporters.xlsx.shell import Shell

    options = XlsxOptions.parse({})
    projection = Projection(table.schema)
    layout = Layout(projection, options)
    shell = Shell(layout, [None] * table.num_columns, options.sheet_name)
    writer = RowWriter(layout, shell)
    formatting = deflating = 0.0
    first_row = layout.first_row
    for block in _blocks(table, Measures(projection, layout)):
        began = time.process_time()
        rows = writer.write(projection.apply(block), first_row)
        formatted = time.process_time()
        deflate(rows.xml, options.compression)
        formatting += formatted - began
        deflating += time.process_time() - formatted
        first_row += block.num_rows
    return formatting, deflating


def _blocks(table: pa.Table, measures: "Measures") -> Iterator[pa.RecordBatch]:
    """The table as exports cut it."""
    from exporters.blocks import BlockCutter
    from exporters.xlsx.measures import MOST_ROWS

    cutter = BlockCutter(MOST_ROWS, measure=measures.weight)
    for batch in table.to_batches():
        yield from cutter.add(batch)
    yield from cutter.flush()
