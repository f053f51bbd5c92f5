"""`load_config`: the settings of every source, checked together."""

import difflib
import reprlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from flight_server.config import sources
from flight_server.config.errors import ConfigError
from flight_server.config.faults import BrokenRulesError, Fault
from flight_server.config.kinds import FlawedError
from flight_server.config.model import KEYS, SECTIONS, Config
from flight_server.config.sources import Setting

_brief: Final = reprlib.Repr()
_brief.maxlevel = 2
_brief.maxstring = _brief.maxother = 120


def load_config(
    path: Path | None, *, environ: Mapping[str, str], overrides: Sequence[str] = ()
) -> Config:
    """Build the configuration in effect.

    Args:
        path: the file; None for none.
        environ: the environment, as `os.environ`.
        overrides: `section.key=value`, each; the later wins.

    Raises:
        ConfigError: with every problem found, each with its key, value, origin and what is
            allowed. When the file as a whole is of no use, rules between keys are not checked.

    """
    problems: list[str] = []
    given: list[Setting] = []
    try:
        given += sources.from_file(path) if path else ()
    except ConfigError as error:
        problems += error.problems
    file_read = not problems
    overriding, malformed = sources.from_overrides(overrides)
    given += [*sources.from_environment(environ), *overriding]
    problems += [*malformed, *_misplaced(given)]
    settings = sources.effective(setting for setting in given if setting.key in KEYS)
    config, values, broken = _check(settings)
    problems += [_sentence(fault, settings) for fault in (*values, *(broken if file_read else ()))]
    if problems or config is None:
        raise ConfigError(problems)
    return config


def _misplaced(settings: Iterable[Setting]) -> Iterator[str]:
    """Say what is wrong with the settings that belong to no key."""
    for setting in settings:
        name = setting.key if setting.key.isprintable() else repr(setting.key)
        if setting.key in SECTIONS:
            yield f"{name}: is a section ({setting.origin}); set its keys one by one"
        elif setting.key not in KEYS:
            closest = _closest(setting)
            yield f"{name}: unknown key ({setting.origin}); closest known: {closest}"


def _closest(setting: Setting) -> str:
    """Find the known name most like that of `setting`: for a group a section, otherwise a key.

    A key that stands in the wrong section counts almost as one that is spelt wrong.
    """

    def likeness(known: str) -> float:
        whole = difflib.SequenceMatcher(a=setting.key, b=known).ratio()
        leaves = setting.key.rpartition(".")[2], known.rpartition(".")[2]
        return max(whole, 0.9 * difflib.SequenceMatcher(None, *leaves).ratio())

    return max(SECTIONS if isinstance(setting.value, dict) else KEYS, key=likeness)


def _check(settings: Mapping[str, Setting]) -> tuple[Config | None, list[Fault], list[Fault]]:
    """Build it, or find the wrong values and the broken rules that none of them touches."""
    config, values, broken = _validate(settings.values())
    if not values:
        return config, [], broken
    wrong = {fault.key for fault in values}
    _, _, broken = _validate(setting for key, setting in settings.items() if key not in wrong)
    return None, values, [fault for fault in broken if wrong.isdisjoint({fault.key, *fault.reads})]


def _validate(settings: Iterable[Setting]) -> tuple[Config | None, list[Fault], list[Fault]]:
    """Do so once; pydantic looks at the rules only when every value is right."""
    try:
        return Config.model_validate(_nested(settings)), [], []
    except ValidationError as error:
        values: list[Fault] = []
        broken: list[Fault] = []
        for details in error.errors():
            cause = details["ctx"]["error"]
            if isinstance(cause, BrokenRulesError):
                broken += cause.faults
            else:
                values += _wrong(".".join(map(str, details["loc"])), cause)
        return None, values, broken


def _wrong(key: str, cause: ValueError) -> list[Fault]:
    """Say what is wrong with the value of `key`, part by part if it has parts."""
    if isinstance(cause, FlawedError):
        return [Fault(key, flaw.text, part=flaw) for flaw in cause.flaws]
    return [Fault(key, str(cause))]


def _nested(settings: Iterable[Setting]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for setting in settings:
        *sections, name = setting.key.split(".")
        branch = tree
        for section in sections:
            branch = branch.setdefault(section, {})
        branch[name] = setting.value
    return tree


def _sentence(fault: Fault, settings: Mapping[str, Setting]) -> str:
    key = KEYS[fault.key]
    setting = settings.get(fault.key) or Setting(fault.key, key.default, "default")
    given = fault.part.value if fault.part else setting.value
    value = _shown(key.kind.shown(given))
    return f"{_name(fault)}: {value} ({setting.origin}) {fault.text}"


def _name(fault: Fault) -> str:
    """Name the key, and the place within its value, on one line."""
    name = f"{fault.key}{fault.part.place}" if fault.part else fault.key
    return name if name.isprintable() else repr(name)


def _shown(value: object) -> str:
    """Show `value` on one line that is not too long; flags and null in the words of YAML."""
    if isinstance(value, bool):
        return str(value).lower()
    if value is None:
        return "null"
    return _brief.repr(value)
