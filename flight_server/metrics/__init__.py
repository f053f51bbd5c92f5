"""What the service counts and measures: the original's metrics, names kept, and more.

Labels take few values: formats are those registered at the start, codes and states are enums, of
clients the first have names. Gauges are read when somebody scrapes, never in between.

    tasks      exports: how many, how long, how much, what became of them
    clients    the same by client
    uploads    finished files on their way
    replicas   the lease of this replica, the others, what dead ones left
    service    what it is, and whether it is well
    host       memory and disks
    memory     how much the process has, and may have
    metrics    all of them, in a registry of their own

    asked      metrics whose values somebody else keeps
    codes      counters by error code
    names      names from outside as labels
"""

from prometheus_client import disable_created_metrics

from flight_server.metrics.memory import resident_bytes
from flight_server.metrics.metrics import Metrics
from flight_server.metrics.names import OTHER

__all__ = ["OTHER", "Metrics", "resident_bytes"]

# A series of its own for the start of each counter says what export_build_info's does already.
disable_created_metrics()  # type: ignore[no-untyped-call]
