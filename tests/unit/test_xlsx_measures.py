import pyarrow as pa
import pytest

from exporters import XlsxOptions
from exporters.blocks import BLOCK_BYTES, BLOCK_ROWS, BlockCutter
from exporters.columns import Projection
from exporters.xlsx.layout import Layout
from exporters.xlsx.measures import MOST_ROWS, Measures


def measures_of(schema: pa.Schema) -> Measures:
    projection = Projection(schema)
    return Measures(projection, Layout(projection, XlsxOptions()))


def numbers(rows: int, columns: int, filled: int) -> pa.RecordBatch:
    """Whole numbers, of which in each column every row has one that `filled` divides."""
    array = pa.array([None if row % filled else row for row in range(rows)], pa.int64())
    return pa.RecordBatch.from_arrays([array] * columns, [str(place) for place in range(columns)])


def blocks(batch: pa.RecordBatch) -> list[int]:
    """The rows of the blocks that a batch is cut into."""
    cutter = BlockCutter(MOST_ROWS, measure=measures_of(batch.schema).weight)
    return [block.num_rows for block in (*cutter.add(batch), *cutter.flush())]


@pytest.mark.parametrize("columns", [1, 10, 25])
def test_a_block_of_full_rows_weighs_the_same_whatever_their_columns(columns: int) -> None:
    batch = numbers(BLOCK_ROWS, columns, 1)
    assert measures_of(batch.schema).weight(batch) == BLOCK_BYTES


def test_long_values_weigh_as_much_as_they_are() -> None:
    batch = pa.record_batch({"text": ["x" * 10_000] * 100})
    assert measures_of(batch.schema).weight(batch) == batch.nbytes


def test_no_rows_weigh_nothing() -> None:
    batch = numbers(0, 3, 1)
    assert measures_of(batch.schema).weight(batch) == 0


def test_full_rows_are_cut_evenly_into_blocks_of_as_many_as_there_may_be() -> None:
    assert blocks(numbers(4 * BLOCK_ROWS, 10, 1)) == [BLOCK_ROWS] * 4
    assert blocks(numbers(4 * BLOCK_ROWS + 2, 10, 1)) == [*[13_108] * 4, 13_106]


def test_mostly_empty_rows_are_cut_into_larger_blocks() -> None:
    assert blocks(numbers(MOST_ROWS, 2, 20)) == [MOST_ROWS // 2] * 2
    assert blocks(numbers(MOST_ROWS, 6, 20)) == [MOST_ROWS]


def test_the_places_of_nulls_are_bytes_too() -> None:
    assert max(blocks(numbers(20_000, 200, 1_000))) * 8 * 200 < BLOCK_BYTES
