"""`make bench`: measures against peers and writes `benchmarks/RESULTS.md`."""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.cases import CASES, FULL, QUICK, Case, Plan
from benchmarks.contract import measure_contract
from benchmarks.data import batches
from benchmarks.details import measure_features, measure_profile, measure_shapes
from benchmarks.latency import measure_latency
from benchmarks.links import measure_links
from benchmarks.machine import machine_facts, package_versions
from benchmarks.measure import ROOT, MeasurementFailed, one_worker, run_rounds
from benchmarks.memory import measure_memory
from benchmarks.php import measure_php
from benchmarks.report import Findings, render
from benchmarks.server import ServerFailed
from benchmarks.tables import write_table

RESULTS = ROOT / "benchmarks" / "RESULTS.md"

INGREDIENTS = ("pyarrow", "isal")
"""What the exporters are built from besides the peers."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks; the exit code, which does not depend on the figures."""
    options = _options(arguments)
    packages = package_versions(dict.fromkeys([*(case.package for case in CASES), *INGREDIENTS]))
    absent = [name for name, version in packages.items() if version is None]
    if absent and not options.quick:
        print(f"missing: {', '.join(absent)}; run: make bench", file=sys.stderr)
        return 1
    cases = [case for case in CASES if case.package not in absent]
    try:
        with one_worker() if options.quick else nullcontext():
            found = _measure(QUICK if options.quick else FULL, cases, packages)
    except (MeasurementFailed, ServerFailed) as error:
        print(f"benchmark failed: {error}", file=sys.stderr)
        return 1
    options.output.write_text(render(found), encoding="utf-8")
    print(f"written: {options.output.name}")
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument(
        "--quick",
        action="store_true",
        help="tiny sizes, to see that it works; peers that are not installed are left out",
    )
    parser.add_argument(
        "--output", type=Path, help="default: benchmarks/RESULTS.md; needed with --quick"
    )
    options = parser.parse_args(arguments)
    if options.quick and options.output is None:
        parser.error("--quick needs --output: its figures are not results")
    options.output = options.output or RESULTS
    return options


def _measure(plan: Plan, cases: Sequence[Case], packages: dict[str, str | None]) -> Findings:
    machine = machine_facts()
    with tempfile.TemporaryDirectory(prefix="export-bench-") as name:
        folder = Path(name)
        table = folder / "table.arrow"
        write_table(table, batches(plan.rows))
        return Findings(
            day=datetime.now(UTC).date(),
            plan=plan,
            machine=machine,
            packages=packages,
            results=run_rounds(cases, plan, table, _say)
            | measure_features(plan, folder, _say)
            | measure_shapes(plan, folder, _say),
            profile=measure_profile(plan, table, _say),
            memory=measure_memory(plan, _say),
            latency=measure_latency(plan, table, _say),
            arrivals=measure_links(plan, table, _say),
            contract=measure_contract(plan, _say),
            php=measure_php(plan, _say),
        )


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
