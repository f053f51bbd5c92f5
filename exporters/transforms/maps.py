"""Values by other words: codes as what they mean to a reader."""

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from exporters.transforms.base import TEXT, Transform


class ValueMap(Transform):
    """A word for each text that has one.

    Any other text is `otherwise`, or stays where that is None.
    """

    def __init__(self, words: Mapping[str, str], otherwise: str | None = None) -> None:
        self._texts = pa.array(list(words), TEXT)
        self._words = pa.array(list(words.values()), TEXT)
        self._otherwise = otherwise
        self._longest = max(len(word.encode()) for word in (*words.values(), otherwise or ""))

    @property
    def growth(self) -> int:
        return self._longest

    def apply(self, texts: pa.Array) -> pa.Array:
        words = self._words.take(pc.index_in(texts, self._texts))
        others = texts
        if self._otherwise is not None:
            word = pa.scalar(self._otherwise, TEXT)
            others = pc.if_else(texts.is_valid(), word, pa.scalar(None, TEXT))
        return pc.coalesce(words, others)
