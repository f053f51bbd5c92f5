import pytest

from exporters.hints import closest

KNOWN = ["delimiter", "quoting", "header"]


@pytest.mark.parametrize("typed", ["delimeter", "delimite", "Delimiter"])
def test_a_mistyped_name_is_answered_with_the_nearest(typed: str) -> None:
    assert closest(typed, KNOWN) == "; did you mean 'delimiter'?"


@pytest.mark.parametrize("typed", ["", "sheet", "x" * 10_000])
def test_a_name_like_none_gets_no_hint(typed: str) -> None:
    assert closest(typed, KNOWN) == ""


def test_nothing_is_near_when_nothing_is_known() -> None:
    assert closest("delimiter", []) == ""
