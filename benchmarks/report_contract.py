"""The section of the page about the original gRPC contract."""

from collections.abc import Sequence

from benchmarks.contract import COLUMNS, OURS, ContractRuns, of_server
from benchmarks.markdown import table


def contract_section(found: Sequence[ContractRuns]) -> str:
    """Rates by server and streams, and the status meanwhile."""
    ours = of_server(found, OURS)
    rows = [
        (
            each.server,
            str(each.streams),
            f"{each.runs[-1].rows:,}",
            str(len(each.runs)),
            f"{each.rate:,.0f}",
            f"{min(each.rates):,.0f} – {max(each.rates):,.0f}",
            f"{each.status_p99 * 1000:.1f}",
            f"{ours[each.streams].rate / each.rate:.2f}×",
        )
        for each in found
    ]
    return f"""\
## Rows over the original gRPC contract

{COLUMNS} texts a row into CSV, in batches of 1,000 rows that the client has encoded before; the
status is asked for all the while, again and again. Ours makes the file durable, checksum and link
included. The other server is what the contract leads to: an object of protobuf for each row, whose
values go to `csv.writer`; its file is neither. Medians; client and server share the cores.

{table(_HEADS, rows)}"""


_HEADS = (
    "server",
    "streams",
    "rows",
    "runs",
    "rows/s, median",
    "lowest – highest",
    "status p99, ms",
    "ours ÷ it",
)
