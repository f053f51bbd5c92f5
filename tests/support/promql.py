"""PromQL, read well enough to know which metrics and labels an expression needs.

It follows Prometheus's grammar of selectors, ranges, functions, aggregations, binary operators and
vector matching, as far as our rules and panels use it: what it takes, Prometheus takes. See
https://prometheus.io/docs/prometheus/latest/querying/basics/
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

OF_RANGES: Final = frozenset(
    {"avg_over_time", "delta", "deriv", "increase", "last_over_time", "max_over_time", "rate"}
)
OF_INSTANTS: Final = frozenset({"abs", "clamp_max", "histogram_quantile", "time"})
AGGREGATIONS: Final = frozenset({"avg", "count", "max", "min", "sum", "topk"})
MATCHINGS: Final = ({"on", "ignoring"}, {"group_left", "group_right"})

_LEVELS: Final = (
    {"or"},
    {"and", "unless"},
    {"==", "!=", ">", "<", ">=", "<="},
    {"+", "-"},
    {"*", "/", "%"},
    {"^"},
)

_TOKEN: Final = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\]|\\.)*")
    |(?P<duration>\d+(?:ms|[smhdwy])(?:\d+(?:ms|[smhdwy]))*)
    |(?P<number>\d+(?:\.\d+)?)
    |(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)
    |(?P<sign>=~|!~|==|!=|>=|<=|[-+*/%^<>=(){}\[\],]))""",
    re.VERBOSE,
)


class BadQuery(ValueError):
    """What does not parse, and where."""


class Token(NamedTuple):
    kind: str
    text: str


@dataclass
class Selector:
    """A metric that is asked for."""

    name: str
    matchers: dict[str, tuple[str, str]] = field(default_factory=dict)
    """By label: the operator, and the value."""


@dataclass
class Query:
    """What an expression needs."""

    selectors: list[Selector] = field(default_factory=list)
    grouped: list[tuple[list[str], list[Selector]]] = field(default_factory=list)
    """Labels that are grouped or matched by, and the metrics of which one must have them."""


def parsed(text: str) -> Query:
    """Raises BadQuery."""
    reader = _Reader(text)
    reader.binary()
    reader.expect_end()
    return reader.query


def _tokens(text: str) -> Iterator[Token]:
    place = 0
    while text[place:].strip():
        match = _TOKEN.match(text, place)
        if match is None:
            raise BadQuery(f"{text[place:]!r} in {text!r}")
        assert match.lastgroup is not None
        yield Token(match.lastgroup, match[match.lastgroup])
        place = match.end()


class _Reader:
    """One expression, from its first token to its last."""

    def __init__(self, text: str) -> None:
        self.query = Query()
        self._text = text
        self._tokens = [*_tokens(text), Token("end", "")]

    def binary(self, level: int = 0) -> None:
        """An expression whose operators bind at least as `_LEVELS[level]`."""
        if level == len(_LEVELS):
            self._unary()
            return
        first = len(self.query.selectors)
        self.binary(level + 1)
        while self._take(*_LEVELS[level]):
            matched = self._matching()
            self.binary(level + 1)
            self.query.grouped.append((matched, self.query.selectors[first:]))

    def expect_end(self) -> None:
        if self._tokens[0].kind != "end":
            raise self._bad()

    def _matching(self) -> list[str]:
        self._take("bool")
        labels: list[str] = []
        for words in MATCHINGS:
            if self._take(*words):
                labels += self._labels()
        return labels

    def _unary(self) -> None:
        self._take("-", "+")
        self._primary()
        if self._take("offset"):
            self._expect("duration")

    def _primary(self) -> None:
        token = self._tokens[0]
        if token.kind in {"number", "text"}:
            self._next()
        elif self._take("("):
            self.binary()
            self._expect("sign", ")")
        elif token.text in AGGREGATIONS:
            self._aggregation()
        elif token.kind == "name" and self._tokens[1].text == "(":
            self._call()
        else:
            self._selector(ranged=False)

    def _aggregation(self) -> None:
        self._next()
        first = len(self.query.selectors)
        labels = self._grouping()
        self._arguments(ranged=False)
        labels += self._grouping()
        self.query.grouped.append((labels, self.query.selectors[first:]))

    def _grouping(self) -> list[str]:
        return self._labels() if self._take("by", "without") else []

    def _call(self) -> None:
        name = self._next().text
        if name not in OF_RANGES | OF_INSTANTS:
            raise BadQuery(f"unknown function {name!r} in {self._text!r}")
        self._arguments(ranged=name in OF_RANGES)

    def _arguments(self, *, ranged: bool) -> None:
        self._expect("sign", "(")
        if ranged:
            self._selector(ranged=True)
        elif self._tokens[0].text != ")":
            self.binary()
            while self._take(","):
                self.binary()
        self._expect("sign", ")")

    def _selector(self, *, ranged: bool) -> None:
        selector = Selector(self._expect("name").text)
        self.query.selectors.append(selector)
        if self._take("{"):
            while not self._take("}"):
                label, sign = self._expect("name").text, self._next().text
                if sign not in {"=", "!=", "=~", "!~"}:
                    raise self._bad()
                selector.matchers[label] = (sign, self._expect("text").text[1:-1])
                self._take(",")
        if ranged:
            self._expect("sign", "[")
            self._expect("duration")
            self._expect("sign", "]")

    def _labels(self) -> list[str]:
        """A list in brackets, which `group_left` may go without."""
        labels: list[str] = []
        if self._take("("):
            while not self._take(")"):
                labels.append(self._expect("name").text)
                self._take(",")
        return labels

    def _take(self, *texts: str) -> bool:
        taken = self._tokens[0].text in texts and self._tokens[0].kind != "text"
        if taken:
            self._next()
        return taken

    def _expect(self, kind: str, text: str | None = None) -> Token:
        token = self._tokens[0]
        if token.kind != kind or text not in {None, token.text}:
            raise self._bad()
        return self._next()

    def _next(self) -> Token:
        return self._tokens.pop(0)

    def _bad(self) -> BadQuery:
        rest = " ".join(token.text for token in self._tokens)
        return BadQuery(f"unexpected {rest or 'end'!r} in {self._text!r}")
