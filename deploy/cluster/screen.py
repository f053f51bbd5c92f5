"""What the launcher shows when the cluster is ready."""

from typing import Final

from deploy.cluster.addresses import at
from deploy.cluster.cluster import Cluster
from deploy.cluster.replica import Replica
from deploy.cluster.settings import Settings

_SCREEN: Final = """
Two replicas, one PostgreSQL, one proxy: ready.

  Flight     grpc://{flight}
  gRPC       {grpc}
  HTTP       http://{http}
  proxy      http://{status}/   who is ready, and who has which calls

{replicas}

Try it in a second terminal. Export through the proxy; ask either replica itself, whoever did it:

  .venv/bin/export-client export FILE.parquet --to file.xlsx --server grpc://{flight}
  .venv/bin/export-client list --server grpc://{a}
  .venv/bin/export-client list --server grpc://{b}

  kill {pid}      replica a finishes its exports and gets no new ones
  kill -9 {pid}   replica a is dead: its exports are settled by replica b{back}

Files, logs and state are below {directory}; {ready_file} has all of this as JSON.
docs/cluster.md says what to expect. Ctrl-C stops everything.
"""


def screen(cluster: Cluster, settings: Settings) -> str:
    """Addresses, processes, and what there is to try."""
    front = cluster.front
    first, second = cluster.replicas
    return _SCREEN.format(
        flight=at(front.flight),
        grpc=at(front.grpc),
        http=at(front.http),
        status=at(front.status),
        replicas="\n".join(_line(replica) for replica in cluster.replicas),
        a=at(first.doors.flight),
        b=at(second.doors.flight),
        pid=first.pid,
        back=", and it comes back" if settings.restart else "",
        directory=settings.directory,
        ready_file=settings.ready_file.name,
    )


def _line(replica: Replica) -> str:
    doors = replica.doors
    return (
        f"  replica {replica.name}  process {replica.pid}, Flight {at(doors.flight)}, "
        f"gRPC {at(doors.grpc)}, HTTP {at(doors.http)}, operations {at(doors.ops)}"
    )
