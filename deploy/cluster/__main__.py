"""The command line of `make cluster`."""

import signal
import sys
from pathlib import Path
from typing import Annotated, Final, NoReturn

import typer

from deploy.cluster.cluster import Cluster
from deploy.cluster.screen import screen
from deploy.cluster.settings import ClusterFailed, Ports, Settings

EXIT_FAILED: Final = 1

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main(
    directory: Annotated[Path, typer.Option(help="for all that it keeps")] = Path("data/cluster"),
    flight_port: Annotated[int, typer.Option(help="of the proxy; 0 picks a free one")] = 8815,
    grpc_port: Annotated[int, typer.Option(help="of the proxy; 0 picks a free one")] = 9090,
    http_port: Annotated[int, typer.Option(help="of the proxy; 0 picks a free one")] = 9091,
    state_url: Annotated[
        str | None, typer.Option(help="of a PostgreSQL that is there; without it one is started")
    ] = None,
    separate_spools: Annotated[
        bool,
        typer.Option("--separate-spools", help="each replica has files in the making of its own"),
    ] = False,
    restart: Annotated[bool, typer.Option(help="start a replica again that has ended")] = True,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="SECTION.KEY=VALUE", help="for both replicas"),
    ] = None,
    ready_file: Annotated[
        Path | None,
        typer.Option(help="addresses and processes as JSON; else cluster.json in the directory"),
    ] = None,
) -> None:
    """Two replicas of the server on one PostgreSQL behind a proxy, until Ctrl-C."""
    root = directory.absolute()
    settings = Settings(
        directory=root,
        ready_file=ready_file or root / "cluster.json",
        ports=Ports(flight_port, grpc_port, http_port),
        state_url=state_url,
        separate_spools=separate_spools,
        restart=restart,
        overrides=tuple(overrides or ()),
    )
    try:
        _run(settings)
    except ClusterFailed as error:
        typer.echo(f"cluster failed: {error}", err=True)
        sys.exit(EXIT_FAILED)


def _run(settings: Settings) -> None:
    cluster = Cluster(settings, _say)
    _listen(cluster)
    _say("Starting PostgreSQL, two replicas, HAProxy and nginx ...")
    try:
        with cluster:
            _say(screen(cluster, settings))
            cluster.watch()
    except KeyboardInterrupt:
        _say("Stopped.")


def _listen(cluster: Cluster) -> None:
    """Stop at the first signal; at further ones, do not wait for the exports that still run."""

    def stop(_number: int, _frame: object) -> NoReturn:
        for number in _SIGNALS:
            signal.signal(number, hurry)
        _say("\nStopping; exports that run may finish. Once more, and they are ended.")
        raise KeyboardInterrupt

    def hurry(_number: int, _frame: object) -> None:
        cluster.hurry()

    for number in _SIGNALS:
        signal.signal(number, stop)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    typer.run(main)
