"""Options of NDJSON files."""

from exporters.packing.options import PackedOptions


class NdjsonOptions(PackedOptions):
    """Options of `ndjson`."""

    format_name = "ndjson"
    other_extensions = frozenset({"jsonl"})
