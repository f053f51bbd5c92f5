"""What a download may be called: any Unicode that is one segment of a path on every system."""

import re
import unicodedata
from typing import Final
from urllib.parse import quote

MAX_FILENAME_BYTES: Final = 255
"""Bytes of UTF-8: the limit of the file systems that finished files are kept on."""

_SEPARATORS: Final = frozenset("/\\")
_RELATIVE: Final = frozenset({".", ".."})

_UNSAFE_IN_QUOTES: Final = re.compile(r'[^\x20-\x7e]|["\\%]')
"""`%` too: some browsers decode it in the fallback."""


def check_filename(name: str) -> None:
    """Accept `name` as the name of a file, or raise ValueError with one sentence why not.

    An accepted name is a single path segment: it cannot leave the directory it is put in, and it
    holds nothing that ends a header line or a C string.
    """
    if not name:
        raise ValueError("the filename is empty")
    if name in _RELATIVE:
        raise ValueError(f"the filename {name!r} names a directory")
    for character in name:
        _check_character(name, character)
    if (size := len(name.encode())) > MAX_FILENAME_BYTES:
        raise ValueError(
            f"the filename has {size} bytes in UTF-8; at most {MAX_FILENAME_BYTES} are allowed"
        )


def content_disposition(filename: str) -> str:
    """Save under `filename`: for every browser (RFC 6266), and in ASCII for what is older."""
    fallback = _UNSAFE_IN_QUOTES.sub("_", filename)
    return f"attachment; filename=\"{fallback}\"; filename*=UTF-8''{quote(filename, safe='')}"


def _check_character(name: str, character: str) -> None:
    if character in _SEPARATORS:
        raise ValueError(f"the filename {name!r} has a path separator {character!r}")
    match unicodedata.category(character):
        case "Cc":
            raise ValueError(f"the filename {name!r} has a control character {character!r}")
        case "Cs":  # half of a surrogate pair: there is no UTF-8 for it
            raise ValueError(f"the filename {name!r} is not valid Unicode: {character!r}")
