import base64
from uuid import UUID

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporters.binaries import base64_texts, uuid_texts


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary(), pa.binary_view()], ids=str)
@given(st.lists(st.none() | st.binary(max_size=40)))
def test_python_decodes_every_value(kind: pa.DataType, values: list[bytes | None]) -> None:
    texts = base64_texts(pa.array(values, kind)).to_pylist()
    assert [each and base64.b64decode(each, validate=True) for each in texts] == [
        None if each is None else each or "" for each in values
    ]


@given(st.lists(st.none() | st.uuids()))
def test_a_uuid_is_written_as_python_writes_it(values: list[UUID | None]) -> None:
    octets = pa.array([each and each.bytes for each in values], pa.binary(16))
    assert uuid_texts(octets).to_pylist() == [each and str(each) for each in values]
