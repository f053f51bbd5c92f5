"""The order of batches: which of them count, by the numbers that their client gave them."""

from typing import Final

from flight_server.errors import ErrorCode, ServiceError

UNNUMBERED: Final = 0
"""What protobuf reads where no number was sent."""


class BatchOrder:
    """Looks at the `batch_sequence` of each batch, in the order in which they arrive.

    A client that numbers its batches begins with 0 or 1 and counts up by one. All zeros mean that
    it does not number them: then every batch counts.
    """

    def __init__(self) -> None:
        self._received = 0
        self._last = UNNUMBERED
        self._first = UNNUMBERED

    def counts(self, number: int) -> bool:
        """Whether a batch is a new one; False for one whose number was there before.

        Raises INVALID_DATA for a gap, or for batches with and without numbers.
        """
        if self._last == UNNUMBERED and number in (UNNUMBERED, 1):
            self._begin(number)
            return True
        if self._first <= number <= self._last and self._last != UNNUMBERED:
            return False
        if number != self._last + 1:
            raise self._refusal(number, f"{self._last + 1} was to come")
        self._last = number
        return True

    def _begin(self, number: int) -> None:
        """No batch was numbered yet, but for one that may be number 0."""
        if number == 1:
            if self._received > 1:
                reason = f"the {self._received} batches before it had no number"
                raise self._refusal(number, reason)
            self._first = 1 - self._received
            self._last = 1
        self._received += 1

    def _refusal(self, number: int, reason: str) -> ServiceError:
        return ServiceError(
            ErrorCode.INVALID_DATA,
            f"batch.batch_sequence {number} is out of order: {reason}; number all batches from 0 "
            "or 1 without a gap, or none",
        )
