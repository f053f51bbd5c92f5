import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from exporters.blocks import MAX_COLLECTED, BlockCutter

SIZES = st.lists(st.integers(0, 120), max_size=30)


def numbered(sizes: list[int]) -> list[pa.RecordBatch]:
    """Batches of such many rows, numbered through."""
    batches, start = [], 0
    for size in sizes:
        batches.append(pa.record_batch({"n": pa.array(range(start, start + size), pa.int64())}))
        start += size
    return batches


def cut(batches: list[pa.RecordBatch], **bounds: int) -> list[pa.RecordBatch]:
    cutter = BlockCutter(**bounds)
    blocks = [block for batch in batches for block in cutter.add(batch)]
    return [*blocks, *cutter.flush()]


def numbers(blocks: list[pa.RecordBatch]) -> list[int]:
    return [number for block in blocks for number in block.column(0).to_pylist()]


@given(SIZES, st.integers(1, 50), st.integers(1, 1000))
def test_every_row_comes_out_once_and_in_order(sizes: list[int], rows: int, size: int) -> None:
    blocks = cut(numbered(sizes), rows=rows, size=size)
    assert numbers(blocks) == list(range(sum(sizes)))


@given(SIZES, st.integers(1, 50), st.integers(8, 1000))
def test_no_block_is_larger_than_its_bounds(sizes: list[int], rows: int, size: int) -> None:
    """Rows of eight bytes each, so that one of them always fits."""
    for block in cut(numbered(sizes), rows=rows, size=size):
        assert 0 < block.num_rows <= rows
        assert block.nbytes <= size


@given(st.lists(st.integers(1, 10), min_size=1, max_size=200))
def test_tiny_batches_are_joined_into_blocks_of_more_than_half_the_bound(sizes: list[int]) -> None:
    *full, last = cut(numbered(sizes), rows=20)
    assert all(block.num_rows > 10 for block in full)
    assert last.num_rows > 0


def test_a_large_batch_is_sliced_without_a_copy() -> None:
    [batch] = numbered([100])
    blocks = cut([batch], rows=30)
    assert [block.num_rows for block in blocks] == [30, 30, 30, 10]
    addresses = {block.column(0).buffers()[1].address for block in blocks}
    assert addresses == {batch.column(0).buffers()[1].address}


def test_what_is_too_large_is_cut_evenly() -> None:
    """Not into full pieces and a rest, which cost as much as a piece."""
    [batch] = numbered([100])
    assert [block.num_rows for block in cut([batch], size=8 * 45)] == [34, 34, 32]


def test_a_batch_alone_is_passed_on_as_it_is() -> None:
    [batch] = numbered([3])
    [block] = cut([batch], rows=100)
    assert block is batch


def test_long_texts_make_blocks_of_fewer_rows() -> None:
    batch = pa.record_batch({"text": ["x" * 1000] * 100})
    blocks = cut([batch], rows=100, size=10_240)
    assert all(block.nbytes <= 10_240 for block in blocks)
    assert sum(block.num_rows for block in blocks) == 100


def test_a_row_larger_than_a_block_is_a_block() -> None:
    batch = pa.record_batch({"text": ["x" * 1000] * 3})
    assert [block.num_rows for block in cut([batch], size=10)] == [1, 1, 1]


def test_rows_wait_until_there_are_enough_of_them() -> None:
    cutter = BlockCutter(rows=10)
    first, second = numbered([4, 4])
    assert list(cutter.add(first)) == []
    assert [block.num_rows for block in cutter.add(second)] == [8]
    assert list(cutter.flush()) == []


def test_rows_that_wait_go_before_a_large_batch() -> None:
    cutter = BlockCutter(rows=10)
    small, large = numbered([2, 15])
    assert list(cutter.add(small)) == []
    assert [block.num_rows for block in cutter.add(large)] == [2, 10, 5]


def test_only_so_many_batches_wait_however_small() -> None:
    cutter = BlockCutter()
    *waiting, last = numbered([1] * MAX_COLLECTED)
    assert [block for batch in waiting for block in cutter.add(batch)] == []
    assert [block.num_rows for block in cutter.add(last)] == [MAX_COLLECTED]


def test_empty_batches_leave_no_trace() -> None:
    assert cut(numbered([0, 0])) == []


def test_flushing_twice_gives_the_rows_once() -> None:
    cutter = BlockCutter()
    assert list(cutter.add(numbered([1])[0])) == []
    assert len(list(cutter.flush())) == 1
    assert list(cutter.flush()) == []


def test_batches_with_different_dictionaries_are_joined() -> None:
    batches = [
        pa.record_batch({"text": pa.array(texts).dictionary_encode()})
        for texts in (["a", "b"], ["c", None])
    ]
    [block] = cut(batches)
    assert block.column(0).to_pylist() == ["a", "b", "c", None]


def test_dictionaries_that_arrow_cannot_unite_stay_apart() -> None:
    batches = [
        pa.record_batch({"a": pa.DictionaryArray.from_arrays([0], pa.array([[n]]))})
        for n in range(3)
    ]
    cutter = BlockCutter()
    blocks = [block for batch in batches for block in cutter.add(batch)]
    assert [*blocks, *cutter.flush()] == batches


def test_dictionaries_whose_union_their_indices_cannot_count_stay_apart() -> None:
    batches = [
        pa.record_batch(
            {
                "text": pa.DictionaryArray.from_arrays(
                    pa.array(range(100), pa.int8()), [f"{prefix}{n}" for n in range(100)]
                )
            }
        )
        for prefix in ("a", "b")
    ]
    assert cut(batches) == batches


def test_a_batch_that_holds_much_for_few_rows_does_not_wait() -> None:
    """Its whole dictionary would stay in memory with it."""
    dictionary = pa.array([f"{n:100}" for n in range(100)])
    batch = pa.record_batch({"text": pa.DictionaryArray.from_arrays(pa.array([1, 2]), dictionary)})
    cutter = BlockCutter(size=1_000, measure=lambda _batch: 0)
    assert list(cutter.add(batch)) == [batch]
