"""YAML text to a mapping, and back: the one home of `yaml`."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from flight_server.config.errors import ConfigError

_MERGE: Final = "tag:yaml.org,2002:merge"

_QUOTED: Final = re.compile(r"\b(tag|alias|anchor)\b.*", re.DOTALL)
"""An unquoted secret that begins with `!`, `*` or `&` is taken for one of these."""


def read(path: Path) -> dict[Any, Any]:
    """Load what the file holds; an empty file is an empty mapping.

    Raises:
        ConfigError: it cannot be read, is no YAML, no mapping, or gives a key twice. Nothing of
            the text is repeated, since it may hold secrets.

    """
    try:
        loaded = _load(_text(path))
    except _UnusableError as error:
        raise ConfigError(f"file {path}: {problem}" for problem in error.args) from error
    if loaded is None:
        return {}
    if not isinstance(loaded, dict):
        raise ConfigError([f"file {path}: holds no mapping of sections to keys"])
    return loaded


def render(tree: Mapping[str, Any]) -> str:
    """`tree` in YAML, in its own order."""
    return yaml.safe_dump(dict(tree), sort_keys=False, allow_unicode=True, width=1000)


def scalar(value: object) -> str:
    """`value` as it stands after a colon."""
    text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=1000)
    return text.removesuffix("\n").removesuffix("\n...")


class _UnusableError(Exception):
    """The text of the file is of no use; each argument is a problem."""


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise _UnusableError("does not exist") from error
    except OSError as error:
        raise _UnusableError(f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise _UnusableError(f"is not UTF-8: byte {error.start + 1} cannot be decoded") from error


def _load(text: str) -> object:
    try:
        loader = yaml.SafeLoader(text)
        try:
            return _construct(loader)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        raise _UnusableError(_syntax_problem(error)) from error
    except yaml.reader.ReaderError as error:
        where = f"character {error.position + 1}"
        raise _UnusableError(f"{where} is not allowed in YAML: U+{error.character:04X}") from error
    except (yaml.YAMLError, ValueError) as error:
        raise _UnusableError("is not valid YAML") from error
    except RecursionError as error:
        raise _UnusableError("is nested too deeply") from error


def _construct(loader: yaml.SafeLoader) -> object:
    node = loader.get_single_node()
    if node is None:
        return None
    repeated = tuple(_repeated(node))
    if repeated:
        raise _UnusableError(*repeated)
    return loader.construct_document(node)


def _repeated(node: yaml.Node, prefix: str = "") -> Iterator[str]:
    """Find the keys that are given twice; YAML would silently take the last."""
    if not isinstance(node, yaml.MappingNode):
        return
    lines: dict[str, int] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode) or key.tag == _MERGE:
            continue
        line = key.start_mark.line + 1
        first = lines.setdefault(key.value, line)
        if first != line:
            yield f"{prefix}{key.value} is given twice, on lines {first} and {line}"
        yield from _repeated(value, f"{prefix}{key.value}.")


def _syntax_problem(error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    problem = _QUOTED.sub(r"\1", error.problem or error.context or "not valid YAML")
    where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
    return f"{where}{problem}"
