"""Words for people who mistyped something."""

import difflib
from collections.abc import Iterable, Sequence
from typing import Final, TypeGuard

from pydantic import BaseModel
from pydantic_core import ErrorDetails

SHOWN_VALUE: Final = 60
"""Characters of a wrong value that a message repeats."""


def closest(name: str, known: Sequence[str]) -> str:
    """A hint that ends a message about an unknown `name`, or nothing when none is near."""
    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def refusal(key: str, error: ErrorDetails) -> str:
    """One sentence for a value that validation refused: the key, the value, what is right."""
    return f"{key}: {repr(error['input'])[:SHOWN_VALUE]} is not allowed; {reason(error)}"


def reason(error: ErrorDetails) -> str:
    """Why validation refused a value, and what would be right."""
    if "ctx" in error and "error" in error["ctx"]:
        return str(error["ctx"]["error"])
    message = error["msg"]
    return message[:1].lower() + message[1:]


def no_such_key(model: type[BaseModel], place: Sequence[int | str]) -> str:
    """What to say of a key that `model` forbids at `place`, with those that it has there."""
    for part in place[:-1]:
        field = model.model_fields.get(str(part))
        if field is None or not _is_model(field.annotation):
            return "there is no such key"
        model = field.annotation
    known = list(model.model_fields)
    near = closest(str(place[-1]), known) or f"; there are: {', '.join(known)}"
    return f"there is no such key{near}"


def dotted(parts: Iterable[int | str]) -> str:
    """A place within JSON, as it goes on from the name of the whole: `.colors[0]`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)


def _is_model(annotation: object) -> TypeGuard[type[BaseModel]]:
    """Whether a field holds an object with keys of its own."""
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
