"""How hard the parts of a workbook are compressed."""

from collections.abc import Iterable
from typing import Final, Literal

from exporters.base import Data
from exporters.packing.deflate import BALANCED, FAST, SMALL, Deflated, Effort
from exporters.packing.deflate import deflate as _deflate

Compression = Literal["fast", "balanced", "small"]

EFFORTS: Final[dict[Compression, Effort]] = {"fast": FAST, "balanced": BALANCED, "small": SMALL}


def deflate(pieces: Iterable[Data], compression: Compression) -> Deflated:
    """Compress the pieces of one block of a part together."""
    return _deflate(pieces, EFFORTS[compression])
