"""The length of a cell is what a slow model in Python says, whatever the type and the layout."""

from typing import Any

import pyarrow as pa
from hypothesis import HealthCheck, given, settings

from exporters.lengths import VALUE_BYTES, lengths
from tests.property.spelled import is_nested
from tests.property.strategies import NESTED, OF_PYTHON, Sent, tables


def length(kind: pa.DataType, value: Any) -> int:
    """As docs/configuration.md says it."""
    types = pa.types
    if value is None:
        return 0
    if types.is_dictionary(kind) or types.is_run_end_encoded(kind):
        return length(kind.value_type, value)
    if types.is_struct(kind):
        return sum(len(each.name.encode()) + within(each.type, value[each.name]) for each in kind)
    if types.is_map(kind):
        pairs = [within(kind.key_type, key) + within(kind.item_type, item) for key, item in value]
        return sum(pairs)
    if is_nested(kind):
        return sum(within(kind.value_type, each) for each in value)
    if isinstance(kind, pa.UuidType):
        return 16
    if isinstance(value, str):
        return len(value.encode())
    return len(value) if isinstance(value, bytes) else 0


def within(kind: pa.DataType, value: Any) -> int:
    return VALUE_BYTES + length(kind, value)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tables(kinds=[*OF_PYTHON, *[NESTED] * 20], max_columns=2))
def test_of_every_cell_of_every_slice(sent: Sent) -> None:
    for batch in sent.batches:
        for array in batch.columns:
            model = [length(array.type, value) for value in array.to_pylist()]
            assert lengths(array).to_pylist() == model
