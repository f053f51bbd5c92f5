"""What the door does where the service fails it."""

from dataclasses import dataclass

from flight_server.errors import ErrorCode, Failure, ServiceError
from flight_server.export import Export
from flight_server.transports.grpc_door import _abandon

BROKEN = ServiceError(ErrorCode.INCOMPLETE_STREAM, "the call broke off")


@dataclass
class Queued(Export):
    """An export that waits for its slot, over a store that is out of order."""

    told: Failure | None = None

    def abandon(self, failure: Failure) -> None:
        self.told = failure
        raise ServiceError(ErrorCode.STORAGE_ERROR, "the state database does not answer")


def test_a_client_that_goes_while_the_store_is_out_of_order_harms_no_thread() -> None:
    """The thread that reads the call, or that handles it, has more to do."""
    export = Queued()
    _abandon(export, BROKEN)
    assert export.told == BROKEN.failure
