import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from exporters.blocks import arrow_size
from exporters.groups import GROUP_BYTES, RowGroups


def grouped(sizes: list[int], rows: int) -> list[list[int]]:
    """The numbers of each group, of batches of such many rows, numbered through."""
    groups, found, start = RowGroups(rows, arrow_size), [], 0
    for size in sizes:
        batch = pa.record_batch({"n": pa.array(range(start, start + size), pa.int64())})
        found += list(groups.add(batch))
        start += size
    found += list(groups.flush())
    return [[n for piece in group for n in piece.column(0).to_pylist()] for group in found]


@given(st.lists(st.integers(0, 120), max_size=30), st.integers(1, 50))
def test_every_group_but_the_last_has_the_rows_asked_for(sizes: list[int], rows: int) -> None:
    groups = grouped(sizes, rows)
    assert [n for group in groups for n in group] == list(range(sum(sizes)))
    assert all(len(group) == rows for group in groups[:-1])
    assert all(0 < len(group) <= rows for group in groups)


def test_a_group_of_long_rows_ends_where_its_bytes_are_enough() -> None:
    groups = RowGroups(1_000_000, arrow_size)
    batch = pa.record_batch({"t": ["x" * 1_000_000] * 10})
    found = [group for _ in range(10) for group in groups.add(batch)]
    found += list(groups.flush())
    assert [sum(piece.num_rows for piece in group) for group in found] == [34, 34, 32]
    assert all(sum(piece.nbytes for piece in group) < GROUP_BYTES * 1.2 for group in found)


def test_tiny_batches_are_joined() -> None:
    groups = RowGroups(1_000, arrow_size)
    batches = [pa.record_batch({"n": [n]}) for n in range(1_000)]
    assert [group for batch in batches for group in groups.add(batch)] == []
    [group] = groups.flush()
    assert len(group) < 5


def test_without_rows_there_is_no_group() -> None:
    assert list(RowGroups(5, arrow_size).flush()) == []
