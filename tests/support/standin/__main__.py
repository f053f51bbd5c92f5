"""Serve until standard input ends."""

import json
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from tests.support.standin.certificates import make_certificates
from tests.support.standin.server import StandIn


class _Web(BaseHTTPRequestHandler):
    """What is on another port of a machine: HTTP, and no gRPC."""

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


def main(directory: Path) -> None:
    """Write `ready.json` once all doors are open."""
    certificates = make_certificates()
    server = StandIn(certificates)
    web = HTTPServer(("127.0.0.1", 0), _Web)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # and never listens: a port that refuses
        addresses = {
            **server.addresses,
            **certificates.write(directory),
            "http": f"127.0.0.1:{web.server_port}",
            "closed": f"127.0.0.1:{closed.getsockname()[1]}",
        }
        part = directory / "ready.part"
        part.write_text(json.dumps(addresses))
        part.rename(directory / "ready.json")
        sys.stdin.read()
    server.close()


main(Path(sys.argv[1]))
