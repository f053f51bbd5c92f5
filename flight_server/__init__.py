"""Export Middleware: record batches in over Arrow Flight, files and signed links out.

    cli ▶ app ▶ transports ▶ service ▶ pipeline ▶ tasks ▶ request · stream · storage ▶ config · …

Imports go to the right only; `docs/architecture.md` tells the whole of it.
"""
