"""Which transform an entry of `columns` asks for."""

from collections.abc import Callable, Mapping
from typing import Final

import pyarrow as pa

from exporters.asked import ColumnOptions, MaskName
from exporters.errors import InvalidOptions
from exporters.fates import plain_type
from exporters.nesting import is_nested
from exporters.transforms.base import Generated, Transform
from exporters.transforms.generated import Constant, RowNumbers
from exporters.transforms.hashed import Hash
from exporters.transforms.maps import ValueMap
from exporters.transforms.masks import Email, Last4, Phone, Redact

MIN_KEY: Final = 16
"""Bytes of a key that nobody can try all of."""

_MASKS: Final[Mapping[MaskName, Callable[[], Transform]]] = {
    "email": Email,
    "last4": Last4,
    "phone": Phone,
    "redact": Redact,
}
"""Those that need no key."""


def transform_for(asked: ColumnOptions, kind: pa.DataType) -> Transform | None:
    """What is done to the texts of a stream's column of type `kind`; None where they stay.

    Raises `InvalidOptions` for lists, structs and maps, which have no text of their own, and for
    a hash without a key that is long enough.
    """
    if asked.mask is None and asked.map is None:
        return None
    if is_nested(plain_type(kind)):
        what = "map" if asked.mask is None else "mask"
        message = f"columns: {asked.label!r} is nested, and a {what} is for single values"
        raise InvalidOptions(f"{message}; leave it out or send its parts as columns")
    if asked.map is not None:
        return ValueMap(asked.map, asked.otherwise)
    if asked.mask == "hash":
        return Hash(_key(asked))
    return _MASKS[asked.mask]() if asked.mask is not None else None


def generated_for(asked: ColumnOptions) -> Generated | None:
    """The column that is made here; None for one of the stream.

    Raises `InvalidOptions` for a value that is not of the `type` that is asked for.
    """
    if asked.value is not None:
        return Constant(asked.value, asked.type, asked.label)
    if asked.row_number is not None:
        return RowNumbers(int(asked.row_number), asked.type, asked.label)
    return None


def _key(asked: ColumnOptions) -> bytes:
    key = asked.mask_key
    if key is None or len(key) < MIN_KEY:
        has = "no key" if key is None else f"a key of {len(key)} bytes"
        message = f"columns: {asked.label!r} has the mask 'hash' and {has}"
        raise InvalidOptions(f"{message}; give a secret of at least {MIN_KEY} bytes as mask_key")
    return key
