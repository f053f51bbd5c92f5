"""The section of the page about the PHP client."""

from collections.abc import Sequence

from benchmarks.markdown import table
from benchmarks.php import COLUMNS, PhpRuns, PhpWay
from benchmarks.targets import MEGABYTE


def php_section(found: Sequence[PhpRuns]) -> str:
    """Rates and memory, next to what PHP does itself."""
    if not found:
        return "## From PHP\n\nPHP with its curl extension was not there, so it was not measured."
    own = next(each.rate for each in found if each.way is PhpWay.FPUTCSV)
    rows = [_figures(each, own) for each in found]
    return f"""\
## From PHP

Rows of {COLUMNS} texts from a generator, over the original gRPC contract with libcurl: from the
first row to the signed link, with client and server on the same processors. *Memory* is the most
that PHP has had from the system in any run, with the thousand rows that are sent again and again.
`fputcsv` writes the same rows to a local file without any server.

{table(_HEADER, rows)}"""


def _figures(each: PhpRuns, own: float) -> tuple[str, ...]:
    rates = [run.rate for run in each.runs]
    return (
        each.way.value,
        f"{each.runs[-1].rows:,}",
        str(len(rates)),
        f"{each.rate:,.0f}",
        f"{min(rates):,.0f} – {max(rates):,.0f}",
        f"{each.runs[-1].size / MEGABYTE:,.1f}",
        f"{each.memory / MEGABYTE:.1f}",
        f"{each.rate / own:.2f}×",
    )


_HEADER = (
    "way",
    "rows",
    "runs",
    "rows/s, median",
    "lowest – highest",
    "file, MB",
    "memory, MB",
    "it ÷ `fputcsv`",
)
