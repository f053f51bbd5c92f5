"""What is asked for within the limits, before there is a task."""

from flight_server.config.limits_section import LimitsSection
from flight_server.limits.exceeded import exceeded
from flight_server.request import ExportRequest


def check_request(request: ExportRequest, limits: LimitsSection) -> None:
    """Raise LIMIT_EXCEEDED for more rows or columns than an export may have."""
    rows, most = request.rows, limits.max_rows
    if rows is not None and most is not None and rows > most:
        raise exceeded("max_rows", f"{rows:,} rows are declared", most)
    if (columns := len(request.columns)) > limits.max_columns:
        raise exceeded("max_columns", f"{columns:,} columns are asked for", limits.max_columns)
