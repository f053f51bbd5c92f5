"""Options of NDJSON files."""

from exporters.options import FormatOptions


class NdjsonOptions(FormatOptions):
    """Options of `ndjson`."""

    format_name = "ndjson"
