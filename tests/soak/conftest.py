"""The seed of a run, and its table at the end."""

import os
import secrets

import pytest

from tests.support.soak.tally import Tally

SEED = os.environ.get("SOAK_SEED") or secrets.token_hex(4)

TOTAL = Tally()
"""Of all episodes of the run."""


@pytest.fixture
def seed() -> str:
    return SEED


@pytest.fixture
def total() -> Tally:
    return TOTAL


def pytest_report_header() -> str:
    return f"seed {SEED}: repeat with SOAK_SEED={SEED}"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if TOTAL.deaths:
        terminalreporter.section(f"kills, seed {SEED}")
        terminalreporter.write_line(TOTAL.table())
