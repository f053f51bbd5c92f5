"""The bytes of `large_string` arrays as numpy sees them, without a copy, and back."""

import numpy as np
import pyarrow as pa

from exporters.transforms.base import TEXT
from exporters.transforms.sha256 import Lengths, Octets


def ends_of(texts: pa.Array) -> Lengths:
    """Where each text ends in `octets_of`, after a zero: where the first begins."""
    places = _places(texts)
    ends: Lengths = places - places[0]
    return ends


def octets_of(texts: pa.Array) -> Octets:
    """The bytes of all texts, one after another; also what stands under a null."""
    data = texts.buffers()[2]
    if data is None:
        return np.empty(0, np.uint8)
    places = _places(texts)
    return np.frombuffer(data, np.uint8)[places[0] : places[-1]]


def texts_from(octets: Octets, ends: Lengths) -> pa.Array:
    """The texts whose bytes and ends these are; none is null."""
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(octets)]
    return pa.Array.from_buffers(TEXT, len(ends) - 1, buffers)


def _places(texts: pa.Array) -> Lengths:
    if not len(texts):  # then Arrow need not have any
        return np.zeros(1, np.int64)
    return np.frombuffer(texts.buffers()[1], np.int64)[texts.offset :][: len(texts) + 1]
