"""What an exporter can refuse.

    ExporterError
    ├── InvalidOptions    an option or column that the format does not know or cannot honour
    ├── InvalidSchema     no columns, two columns of one name, a column that is not in the stream
    ├── UnsupportedType   an Arrow type that the format has no cell for
    ├── InvalidData       a value that the options forbid
    └── LimitExceeded     a bound of the format itself: columns, sheets

Every message names the key, the value and what would be right, and is safe to show to the caller.
"""


class ExporterError(Exception):
    """The data cannot be written as asked."""


class InvalidOptions(ExporterError):
    """An option is unknown or has a value that the format cannot honour."""


class InvalidSchema(ExporterError):
    """The columns of the stream cannot make a table."""


class UnsupportedType(ExporterError):
    """The format has no cell for an Arrow type."""


class InvalidData(ExporterError):
    """A value contradicts the options."""


class LimitExceeded(ExporterError):
    """The table is larger than the format allows."""
