"""What may stand in a style, and what is said of the rest."""

from typing import Any

import pytest

from exporters import XlsxOptions
from exporters.style_rules import WrongOption, wrong_in_style
from exporters.xlsx.styles import STYLES


def wrong(style: object) -> list[WrongOption]:
    return list(wrong_in_style(XlsxOptions, style))


def test_the_built_in_styles_keep_the_rules() -> None:
    assert [problem for style in STYLES.values() for problem in wrong(style)] == []


def test_the_options_that_no_style_has_exist() -> None:
    assert set(XlsxOptions.model_fields) > XlsxOptions.not_in_styles


@pytest.mark.parametrize("option", sorted(XlsxOptions.not_in_styles))
def test_an_option_that_belongs_to_one_export_is_refused_by_name(option: str) -> None:
    [problem] = wrong({option: "whatever it is", "autofilter": True})
    assert (problem.place, problem.value) == (f".{option}", "whatever it is")
    assert "belongs to one export" in problem.reason


@pytest.mark.parametrize(
    ("style", "place", "value", "words"),
    [
        ({"autofilter": "yes"}, ".autofilter", "yes", "valid boolean"),
        ({"header_style": {"color": "red"}}, ".header_style.color", "red", "a colour such as"),
        ({"header_style": {"colour": 1}}, ".header_style.colour", 1, "did you mean 'color'?"),
        ({"autofiltr": True}, ".autofiltr", True, "did you mean 'autofilter'?"),
        ({"zzz": 1}, ".zzz", 1, "it has: autofilter, column_widths"),
        ({1: 2}, "[1]", 2, "no such option"),
        ({"table_style": "dark 12"}, ".table_style", "dark 12", "'dark 1' to '11'"),
        ({"header_style": {"size": 410}}, ".header_style.size", 410, "less than or equal to 409"),
        ({"properties": []}, ".properties", [], "valid dictionary"),
        ({"title": "\ud800"}, ".title", "\ud800", "cannot be kept"),
        ({"title": "T", "start_row": 1}, "", {"title": "T", "start_row": 1}, "start_row 2"),
        (5, "", 5, "mapping"),
        (None, "", None, "mapping"),
        ([], "", [], "mapping"),
    ],
)
def test_a_wrong_option_has_its_place_its_value_and_what_is_right(
    style: object, place: str, value: object, words: str
) -> None:
    [problem] = wrong(style)
    assert (problem.place, problem.value) == (place, value)
    assert words in problem.reason


@pytest.mark.parametrize(
    ("style", "place"),
    [
        ({"title": None}, ".title"),
        ({"autofilter": None}, ".autofilter"),
        ({"header_style": {"bold": True, "color": None}}, ".header_style.color"),
        ({"header_style": None}, ".header_style"),
    ],
)
def test_an_option_without_a_value_is_refused(style: dict[str, Any], place: str) -> None:
    """YAML makes one of a colour without quotes, and an export would take it for the default."""
    [problem] = wrong(style)
    assert (problem.place, problem.value) == (place, None)
    assert "in quotes where it begins with #" in problem.reason


def test_everything_wrong_is_found_at_once() -> None:
    style = {"totals": {}, "zzz": 1, "start_row": 0, "title": None, "header_style": {"size": 0}}
    places = [problem.place for problem in wrong(style)]
    assert sorted(places) == [".header_style.size", ".start_row", ".title", ".totals", ".zzz"]
