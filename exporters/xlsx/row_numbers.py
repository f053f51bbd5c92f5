"""The numbers of a block's rows as text, which every cell of a row repeats."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Indices = npt.NDArray[np.integer]
_Texts = npt.NDArray[np.bytes_]

_SPAN: Final = 10_000
_ENDS: Final = np.array([f"{number:04}" for number in range(_SPAN)], "S4")
"""The last four digits of every number: to write them anew takes three times as long."""


@dataclass(frozen=True, slots=True)
class RowNumbers:
    """Numbers of rows, which rise."""

    _texts: _Texts

    @classmethod
    def counted(cls, first: int, count: int) -> Self:
        """`count` numbers, at least one, from `first`, which is at least 1."""
        end = first + count
        spans = range(first - first % _SPAN, end, _SPAN)
        return cls(np.concatenate([_span(start, first - start, end - start) for start in spans]))

    def __len__(self) -> int:
        return len(self._texts)

    def of(self, rows: Indices) -> Self:
        """The numbers of some of the rows, by their indices, which rise."""
        return type(self)(self._texts.take(rows))

    def then(self, following: str) -> pa.Array:
        """The numbers, each with `following` behind it."""
        texts = np.strings.add(self._texts, following.encode())
        if len(texts) == 0 or len(texts[0]) < texts.itemsize:
            return pa.array(texts).cast(pa.large_string())
        # Where the least number is as long as the others, the texts lie end to end already.
        offsets = np.arange(0, texts.nbytes + 1, texts.itemsize)
        buffers = [None, pa.py_buffer(offsets), pa.py_buffer(texts)]
        return pa.Array.from_buffers(pa.large_string(), len(texts), buffers)


def _span(start: int, first: int, end: int) -> _Texts:
    """The numbers from `start + first` to below `start + end`, of the 10,000 from `start`."""
    ends = _ENDS[max(first, 0) : end]
    if start == 0:
        return np.strings.lstrip(ends, b"0")
    return np.strings.add(str(start // _SPAN).encode(), ends)
