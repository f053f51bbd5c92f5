"""The sections of the page that look closer at Excel."""

from collections.abc import Iterator, Mapping

from benchmarks.cases import SIZE_MAIN, SIZE_TALL, SIZES, Case
from benchmarks.features import workbooks
from benchmarks.markdown import table
from benchmarks.measure import Result
from benchmarks.profile import Profile
from benchmarks.shapes import SHAPES
from benchmarks.targets import MEGABYTE, cost, xml_ratio

Results = Mapping[str, Result]


def features_section(results: Results) -> str:
    """What each feature costs."""
    return f"""\
## What a feature costs

The same table with each feature alone, and plain. *Cost* is the part of the plain workbook's rate
that the feature takes; *processor* compares seconds of the processor, which a disturbance of the
machine moves less. A feature that adds cells is compared with a workbook that has as many without
it: formulas with one more column of numbers, links and the split with the same column as texts.
Of the addresses, the first 65,530 of the sheet are links, as many as Excel takes.

{table(_FEATURE_HEADER, _features(results))}"""


_FEATURE_HEADER = (
    "workbook",
    "compared with",
    "runs",
    "rows/s, median",
    "lowest – highest",
    "MB/million rows",
    "cost",
    "processor",
)


def _features(results: Results) -> Iterator[tuple[str, ...]]:
    for feature in workbooks().values():
        plain, result = results[feature.plain.name], results[feature.case.name]
        title = feature.case.title
        if plain is result:
            yield (title, "–", *figures(result), "–", "–")
            continue
        lost = cost(results, feature) or 0.0
        more = result.row_cpu / plain.row_cpu - 1
        shown = (f"{lost * 100:.1f} %", f"{more * 100:+.1f} %")
        yield (title, feature.plain.title, *figures(result), *shown)


def figures(result: Result) -> tuple[str, str, str, str]:
    """Runs, rates and the size of the file, as every table of results shows them."""
    rates = [run.rate for run in result.runs]
    last = result.runs[-1]
    return (
        str(len(rates)),
        f"{result.rate:,.0f}",
        f"{min(rates):,.0f} – {max(rates):,.0f}",
        f"{last.size / last.rows:,.0f}",
    )


def shapes_section(results: Results) -> str:
    """Tables of other shapes."""
    rows = [
        _shape(results, case) for case in (SIZE_MAIN, SIZE_TALL, *(each.case for each in SHAPES))
    ]
    header = ("table", "rows", "runs", "rows/s, median", "MB of XML", "file, MB", "MB of XML/s", "")
    return f"""\
## Shapes

Every table is read batch by batch while it is written. The rate is that of the sheets' XML in MB
(10⁶ bytes), whose length the archive's directory tells; the last column compares it with the main
case.

{table(header, rows)}"""


def _shape(results: Results, case: Case) -> tuple[str, ...]:
    result = results[case.name]
    last = result.runs[-1]
    return (
        case.title,
        f"{last.rows:,}",
        str(len(result.runs)),
        f"{result.rate:,.0f}",
        f"{last.xml / MEGABYTE:,.0f}",
        f"{last.size / MEGABYTE:,.0f}",
        f"{result.xml_rate / MEGABYTE:,.0f}",
        f"{xml_ratio(results, case):.2f}×",
    )


def sizes_section(results: Results) -> str:
    """Long exports and short ones."""
    main = results[SIZE_MAIN.name].rate
    rows = []
    for case in SIZES:
        result = results[case.name]
        seconds = [run.seconds / run.rows * 1e6 for run in result.runs]
        rows.append(
            (
                f"{result.runs[-1].rows:,}",
                str(len(seconds)),
                f"{1e6 / result.rate:.2f}",
                f"{min(seconds):.2f} – {max(seconds):.2f}",
                f"{main / result.rate:.2f}×",
            )
        )
    header = ("rows", "runs", "s/million rows, median", "lowest – highest", "it ÷ the main case")
    return f"""\
## Sizes

The main table in other lengths, read batch by batch; a short one shows what a workbook costs
whatever its rows.

{table(header, rows)}"""


def profile_section(profile: Profile) -> str:
    """How far from the bound."""
    rows = [
        ("formatting the XML, one thread", _seconds(profile.formatting)),
        ("compressing it, one thread", _seconds(profile.deflating)),
        (f"bound: their sum ÷ {profile.cores} cores", _seconds(profile.bound)),
        ("the whole export, by the clock", _seconds(profile.wall)),
        ("the whole export, of the processor", _seconds(profile.cpu)),
        ("the clock ÷ the bound", f"{profile.distance:.2f}×"),
    ]
    return f"""\
## How far from the bound

{profile.rows:,} rows of the main table, in blocks as exports have them. The parts are in seconds of
the processor.

{table(("", "s"), rows)}"""


def _seconds(seconds: float) -> str:
    return f"{seconds:.3f}"
