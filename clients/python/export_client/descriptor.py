"""The descriptor command: what is exported, and how."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

Column: TypeAlias = str | Mapping[str, Any]
"""A column's name, or the protocol's column object.

`name`, `header`, `width`, `format`, `type`, `mask`, `map` with `otherwise`; `value` or `row_number`
in place of a `name` for a column that the data does not have.
"""


def command(
    filename: str,
    *,
    format: str | None,  # noqa: A002 - the protocol's name
    request_id: str | None,
    rows: int | None,
    columns: Sequence[Column] | None,
    options: Mapping[str, Any],
    wait: bool,
) -> bytes:
    """The CMD of a descriptor. What is None, empty or the default is left to the server."""
    body: dict[str, Any] = {"filename": filename}
    optional = {"format": format, "request_id": request_id, "rows": rows}
    body |= {key: value for key, value in optional.items() if value is not None}
    if columns is not None:
        body["columns"] = [{"name": c} if isinstance(c, str) else dict(c) for c in columns]
    if options:
        body["options"] = dict(options)
    if not wait:
        body["wait"] = False
    return json.dumps(body, ensure_ascii=False, allow_nan=False).encode()


def merged_options(options: Mapping[str, Any] | None, flat: Mapping[str, Any]) -> dict[str, Any]:
    """The options of both ways to give them.

    Raises:
        TypeError: one option is given in both.

    """
    given = dict(options or {})
    twice = sorted(given.keys() & flat.keys())
    if twice:
        raise TypeError(f"option {twice[0]!r} is given twice: in options= and as a keyword")
    return {**given, **flat}
