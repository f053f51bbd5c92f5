"""Binary values as text: base64, and UUIDs as people write them."""

from typing import Final

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

_GROUPS: Final = ((0, 8), (8, 4), (12, 4), (16, 4), (20, 12))
"""Where the groups of a UUID's digits begin and how many each has (RFC 9562, section 4)."""


def is_binary(kind: pa.DataType) -> bool:
    """Whether `kind` is binary in any layout."""
    types = pa.types
    return bool(
        types.is_binary(kind)
        or types.is_large_binary(kind)
        or types.is_binary_view(kind)
        or types.is_fixed_size_binary(kind)
    )


def base64_texts(binaries: pa.Array) -> pa.Array:
    """Binary values of any layout in the standard alphabet, padded (RFC 4648, section 4)."""
    octets = pl.Series(pc.cast(binaries, pa.large_binary()))
    return _texts(octets.bin.encode("base64"))


def uuid_texts(uuids: pa.Array) -> pa.Array:
    """Values of 16 bytes as lower-case digits in groups of 8-4-4-4-12."""
    frame = pl.Series("uuid", pc.cast(uuids, pa.large_binary())).to_frame()
    digits = pl.col("uuid").bin.encode("hex")
    groups = [digits.str.slice(start, size) for start, size in _GROUPS]
    return _texts(frame.select(pl.concat_str(groups, separator="-")).to_series())


def _texts(values: pl.Series) -> pa.Array:
    return values.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(pa.string())
