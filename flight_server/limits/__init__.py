"""The most that one export may be: what is larger ends with LIMIT_EXCEEDED before it does harm.

Each limit is a small wrapper around what an export is made of:

request     what is asked for, before there is a task
stream      rows and batches, as soon as they are here
cells       long cells, and values that are small as they are sent and large in a file
sink        the bytes of the file, before they are written
exceeded    the refusal

What is refused by whom is in `flight_server.config.limits_section`; what each limit counts is in
docs/configuration.md.
"""

from flight_server.limits.cells import LimitedBatches
from flight_server.limits.request import check_request
from flight_server.limits.sink import LimitedSink
from flight_server.limits.stream import LimitedStream

__all__ = ["LimitedBatches", "LimitedSink", "LimitedStream", "check_request"]
